import pytest

from tf_finetune.tasks.look_alikes import groups_of_look_alikes, shown_apart


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        ("caf\u00e9", "cafe\u0301", r"'cafe\u0301'"),
        ("חיובי", "חיובי\u200f", r"'חיובי\u200f'"),
        ("pos", "p\u200bos", r"'p\u200bos'"),
        ("not spam", "not\u00a0spam", r"'not\xa0spam'"),
        ("spam", "sp\u0430m", r"'sp\u0430m'"),
        ("very good", "very  good", "'very  good'"),
        ("very good", "very_good", "'very_good'"),
        ("pos", "Pos", "'Pos'"),
        ("Ａ", "A", "'A'"),
        ("1", "1.0", "'1.0'"),
    ],
)
def test_names_that_differ_in_what_is_hardly_seen_look_alike(first, second, shown):
    assert groups_of_look_alikes(["other", first, second]) == [[first, second]]
    assert shown_apart([first, second])[1] == shown
    assert len(set(shown_apart([first, second]))) == 2


def test_names_that_differ_visibly_do_not_look_alike():
    names = ["1", "-1", "1.1", "1.10", "C", "C++", "café", "caffe", "спам", "spam", "not spam"]
    assert groups_of_look_alikes(names) == []


def test_letters_of_one_script_are_shown_as_they_are():
    assert shown_apart(["оса", "Оса"]) == ["'оса'", "'Оса'"]
