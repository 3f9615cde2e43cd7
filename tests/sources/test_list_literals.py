import pytest

from tf_finetune.sources.list_literals import parse_list


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("['a', 'b c']", ("a", "b c")),
        ('["a","ü"]', ("a", "ü")),
        (r'["\u00e9\ud83d\ude00"]', ("é😀",)),
        (r"['it\'s', \"it's\"]".replace(r"\"", '"'), ("it's", "it's")),
        ("('a',)", ("a",)),
        ("{'a', 'b'}", ("a", "b")),
        ("['a' 'b']", ("a", "b")),
        ("[0, 1, 0]", ("0", "1", "0")),
        ("[0. 1.\n 0.]", ("0.", "1.", "0.")),
        ("array([0, 1])", ("0", "1")),
        ("array(['a'], dtype=object)", ("a",)),
        ("tensor([0., 1.])", ("0.", "1.")),
        ("[ True False]", ("1", "0")),
        ("[1, null]", ("1", None)),
        (" [] ", ()),
        ("set()", ()),
    ],
)
def test_lists_of_python_json_and_numpy_are_read(text, items):
    assert parse_list(text) == items


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "[deleted]",
        "[NEG]",
        "(1)",
        "('a')",
        "[1, 2",
        "[1,,2]",
        "[,]",
        "['a'b]",
        "{}",
        "{'a': 1}",
    ]
    + ["[['a']]", "[0 1 ... 0]", r"['\d']", "{1 2}", "[1][2]", "['a', b]", ""],
)
def test_other_things_in_brackets_are_no_lists(text):
    assert parse_list(text) is None
