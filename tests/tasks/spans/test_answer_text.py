"""Answers are compared as SQuAD's official scripts compare them."""

import pytest

from tf_finetune.tasks.spans.answer_text import (
    agreement,
    answer_tokens,
    is_written_in_characters,
)


@pytest.mark.parametrize(
    ("answer", "tokens"),
    [
        ("The Cat,  and a\tDog!", ["cat", "and", "dog"]),
        ("an Anthem of the theatre", ["anthem", "of", "theatre"]),
        ("U.S.", ["us"]),
        ("the-end", ["theend"]),  # punctuation goes before articles
        ("3,000 km²", ["3000", "km²"]),
        ("“quoted”", ["“quoted”"]),  # only ASCII punctuation
        ("A", []),
        ("", []),
        ("\u00a0two\u2003words", ["two", "words"]),
    ],
)
def test_english_is_normalised_as_the_script_of_squad_does(answer, tokens):
    assert answer_tokens(answer) == tokens


@pytest.mark.parametrize(
    ("answer", "tokens"),
    [
        ("《红楼梦》", ["红", "楼", "梦"]),
        ("1998年，iPhone 手机", ["1998", "年", "iphone", "手", "机"]),
        ("维生素 A", ["维", "生", "素", "a"]),  # no article
        ("ドラえもん・メモ", list("ドラえもんメモ")),
        ("U.S.", ["us"]),
        ("𠮷野家", ["𠮷", "野", "家"]),
    ],
)
def test_texts_without_spaces_are_compared_by_characters(answer, tokens):
    assert answer_tokens(answer, by_characters=True) == tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("清华大学建于1911年。", True),
        ("《哈利·波特》 (Harry Potter and the Philosopher's Stone)", False),
        ("《哈利·波特》 (Harry Potter)", True),
        ("これはペンです", True),
        ("An English text about 中国", False),
        ("한국어 문장", False),
        ("12:30", False),
        ("", False),
    ],
)
def test_most_words_or_characters_say_how_a_text_is_written(text, expected):
    assert is_written_in_characters(text) is expected


@pytest.mark.parametrize(
    ("given", "gold", "exact", "f1"),
    [
        ("the Denver Broncos", ["Denver Broncos"], 1, 1),
        ("Denver", ["Denver Broncos"], 0, 2 / 3),
        # 2 of 3 tokens are right, which are 2 of 4: 2 * (2/3 * 1/2) / (2/3 + 1/2).
        ("in Santa Clara", ["Santa Clara, California today"], 0, 4 / 7),
        ("1,000", ["1000"], 1, 1),
        ("cat cat cat", ["cat dog"], 0, 2 / 5),  # a token counts as often as it occurs
        ("dog cat", ["cat dog"], 0, 1),
        ("green", ["red", "the green one", "Green!"], 1, 1),  # the best of several
        ("one green", ["red", "the green one"], 0, 1),
        ("blue", ["red"], 0, 0),
        # No answer, as in SQuAD 2.0.
        ("", [], 1, 1),
        ("red", [], 0, 0),
        ("", ["red"], 0, 0),
        ("", ["red", ""], 0, 0),  # a gold answer without a token is none
        ("the", [], 1, 1),
        ("a", ["A"], 1, 1),
    ],
)
def test_agreement_is_that_of_the_script_of_squad_2(given, gold, exact, f1):
    assert agreement(given, gold) == pytest.approx((exact, f1))


def test_agreement_of_chinese_answers_counts_characters():
    assert agreement("清华大学", ["北京清华大学"], by_characters=True) == pytest.approx((0, 0.8))
    assert agreement("《西游记》", ["西游记"], by_characters=True) == (1, 1)
    assert agreement("清华大学", ["北京清华大学"]) == (0, 0)
