"""Each change alters what it is for and nothing else, in any script, as its seed says."""

import pytest

from tf_finetune.robustness.changes import (
    Add,
    Case,
    Numbers,
    Punctuation,
    Swap,
    Typos,
    changed_but_for,
)
from tf_finetune.robustness.word_lists import WordList

ALL = [Typos(2), Case("upper"), Punctuation("none"), Punctuation("other_end"), Numbers()]


def letters_moved(word, other):
    """How a word differs: one letter fewer, one more, or two neighbours the other way round."""
    if len(word) != len(other):
        shorter, longer = sorted((word, other), key=len)
        return any(longer[:n] + longer[n + 1 :] == shorter for n in range(len(longer)))
    wrong = [n for n, (a, b) in enumerate(zip(word, other, strict=True)) if a != b]
    return len(wrong) == 2 and word[wrong[0]] == other[wrong[1]] and wrong[1] == wrong[0] + 1


@pytest.mark.parametrize("seed", [*map(str, range(40))])
def test_a_typo_is_one_slip_inside_so_many_words(seed):
    text = "the wonderful actors of a 1999 film"

    changed = Typos(2)(text, seed)

    pairs = list(zip(text.split(), changed.split(), strict=True))
    wrong = [(word, other) for word, other in pairs if word != other]
    assert len(wrong) == 2
    for word, other in wrong:
        assert len(word) >= 4 and word.isalpha()
        assert (word[0], word[-1]) == (other[0], other[-1])
        assert letters_moved(word, other)


def test_a_change_is_a_function_of_text_and_seed():
    text = "wonderful actors carry this film to 1999 places."
    for change in ALL:
        assert change(text, "a") == change(text, "a")
    assert len({Typos()(text, str(seed)) for seed in range(20)}) > 5
    assert len({Numbers()(text, str(seed)) for seed in range(20)}) > 5


def test_chinese_has_no_case_and_no_letters_to_slip_on():
    assert Case("upper")("这部电影很好", "s") == "这部电影很好"
    assert Typos()("这部电影很好", "s") == "这部电影很好"
    assert Punctuation("none")("很好，但是太长。", "s") == "很好但是太长"
    assert Punctuation("other_end")("这部电影很好", "s") == "这部电影很好。"


def test_title_case_leaves_what_follows_an_apostrophe():
    assert Case("title")("it's a FINE film", "s") == "It's A Fine Film"


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("a film , and a half !", "a film and a half"),
        ("it 's 3.5 stars, well-made (mostly).", "it 's 3.5 stars well-made mostly"),
        ("do n't!!", "do n't"),
        ("...", ""),
    ],
)
def test_punctuation_goes_but_for_what_belongs_to_a_word(text, without):
    assert Punctuation("none")(text, "s") == without


def test_the_end_loses_its_signs_or_gets_one():
    change = Punctuation("other_end")
    assert change("a fine film .", "s") == "a fine film"
    assert change("a fine film?!", "s") == "a fine film"
    assert change("a fine film", "s") == "a fine film."


@pytest.mark.parametrize("seed", [*map(str, range(20))])
def test_a_number_becomes_another_of_as_many_digits(seed):
    one, _, year = Numbers()("7 of 1999", seed).split()

    assert one != "7" and len(one) == 1 and one.isdigit()
    assert year != "1999" and len(year) == 4 and not year.startswith("0")
    assert Numbers()("007", seed) != "007"


def test_equal_numbers_stay_equal_and_keep_their_script():
    changed = Numbers()("1999 and 1999, ٣٤", "s")
    first, _, second, arabic = changed.replace(",", "").split()
    assert first == second != "1999"
    assert arabic != "٣٤" and all("٠" <= digit <= "٩" for digit in arabic)


def test_a_text_is_put_before_and_behind():
    assert Add("oh:", "!")("fine", "s") == "oh: fine !"


def test_markers_of_entities_stay_where_they_are():
    text = "The $ singer $ caused a # commotion # , twice ."
    for change in (*ALL, Swap(WordList(pairs={"singer": "actor"}))):
        changed = changed_but_for(change, text, "seed", ("$", "#"))
        assert [word for word in changed.split() if word in "$#"] == ["$", "$", "#", "#"]
    assert changed == "The $ actor $ caused a # commotion # , twice ."
    # The sign of an entity is punctuation by itself; what stands between is changed all the same.
    assert changed_but_for(Punctuation("none"), text, "s", ("$", "#")) == (
        "The $ singer $ caused a # commotion # twice"
    )


def test_a_change_that_would_add_a_marker_is_none():
    assert changed_but_for(Add("# first"), "a $ b $", "s", ("$", "#")) == "a $ b $"
