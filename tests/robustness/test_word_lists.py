"""Words of lists are found as people write them and replaced so that a text stays a text."""

import pytest

from tf_finetune.robustness.word_lists import WordList, in_case_of, words_in_rotation

NAMES = words_in_rotation(["Anna", "Ben", "Carlos", "ANNA"])
CONTRACTIONS = WordList(pairs={"do not": "don't", "don't": "do not", "it's": "it is"})


@pytest.mark.parametrize("seed", [*map(str, range(20))])
def test_different_names_stay_different_and_none_stays(seed):
    first, second, again = NAMES.replaced("Anna, Ben, Anna", seed).split(", ")

    assert first == again != "Anna"
    assert second not in ("Ben", first)
    assert {first, second} <= {"Anna", "Ben", "Carlos"}


def test_only_whole_words_of_scripts_with_spaces_are_found():
    assert NAMES.replaced("Annabel and Benno", "s") == "Annabel and Benno"
    chinese = WordList(pairs={"他": "她"})
    assert chinese.replaced("我看见他了", "s") == "我看见她了"


def test_case_follows_the_text():
    pairs = WordList(pairs={"he": "she"})
    assert pairs.replaced("He said he was HE.", "s") == "She said she was SHE."
    assert NAMES.replaced("anna", "s") in ("ben", "carlos")
    assert in_case_of("I am", "i'm") == "I'm"


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("I do not know", "I don't know"),
        ("I do  not know", "I don't know"),
        ("I don’t know", "I do not know"),
        ("i do n't know", "i do not know"),
        ("it 's fine, It’s", "it is fine, It is"),
    ],
)
def test_contractions_are_found_with_any_apostrophe_and_in_pieces(text, changed):
    assert CONTRACTIONS.replaced(text, "s") == changed


def test_the_longest_is_found_first_and_so_many_at_most():
    negations = WordList(pairs={"is": "is not", "is not": "is"})
    assert negations.replaced("it is not what it is", "s") == "it is what it is not"
    assert negations.replaced("it is not what it is", "s", most=1) == "it is what it is"


def test_a_letter_that_only_looks_like_one_is_left_alone():
    # A dotted capital I is an i to a pattern that ignores case, and no i to anything else.
    assert WordList(pairs={"im": "in"}).replaced("İM", "s") == "İM"
