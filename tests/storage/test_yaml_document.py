"""YAML is read as text with line numbers, and nothing in it can run code or grow without bound."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_finetune.storage.yaml_document import (
    MAX_BYTES,
    DocumentError,
    parse_document,
    read_document,
    yaml_value,
)

JSON_LIKE = st.recursive(
    st.none() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "written",
    ["5e-5", "1e3", "007", "0x10", "1_000", "1:30", "yes", "no", "on", "off", "true", "2024-01-01"],
)
def test_scalar_stays_the_text_that_was_written(written):
    assert parse_document(f"key: {written}").value == {"key": written}


@pytest.mark.parametrize("written", ["null", "Null", "NULL", "~", ""])
def test_unquoted_null_is_none(written):
    assert parse_document(f"key: {written}").value == {"key": None}


@pytest.mark.parametrize("written", ['"null"', "'null'", "!!str null"])
def test_quoted_null_is_text(written):
    assert parse_document(f"key: {written}").value == {"key": "null"}


def test_lines_are_those_of_keys_and_items():
    document = parse_document("a:\n  b:\n    - x\n    - y\nc: 1\n")

    assert document.lines[("a",)] == 1
    assert document.lines[("a", "b")] == 2
    assert document.lines[("a", "b", 1)] == 4
    assert document.lines[("c",)] == 5


def test_every_repetition_of_a_key_is_found():
    document = parse_document("a: 1\nb: {x: 1, x: 2}\na: 3\n")

    assert document.duplicates == [(("b", "x"), 2, 2), (("a",), 3, 1)]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_empty_document_is_none(text):
    assert parse_document(text).value is None


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\n\tb: 2\n", 2, "spaces, not tabs"),
        ("a: 1\nb: [1, 2\n", 3, "not valid YAML"),
        ("a: 1\nb: c: d\n", 2, "mapping values are not allowed"),
        ("a: 1\n--- \nb: 2\n", 2, "another document"),
        ("a: &x [1]\nb: *x\n", 2, r"alias \*x: write the value out"),
        ("a: 1\n? [b]\n: 2\n", 2, "list or mapping as a key"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "tag !!python/object/apply:os.system"),
        ("a: !local b\n", 1, "tag !local"),
        ("a: !!binary aGk=\n", 1, "tag !!binary"),
        ("a: !!set {b, c}\n", 1, "tag !!set"),
        ("a: 1\nb: \x00\n", 2, "not valid YAML: character"),
        ("a: " + "[" * 50 + "]" * 50, 1, "nested deeper than 20"),
    ],
)
def test_refused_text_is_an_error_with_its_line(text, line, problem):
    with pytest.raises(DocumentError, match=problem) as caught:
        parse_document(text)

    assert caught.value.line == line


def test_alias_bomb_is_refused_at_once():
    levels = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 30))
    began = time.process_time()

    with pytest.raises(DocumentError, match="alias"):
        parse_document("l0: &l0 [x]\n" + levels)

    assert time.process_time() - began < 1


def test_file_with_byte_order_mark_and_windows_lines_is_read(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")

    assert read_document(path).value == {"a": "1", "b": "2"}


def test_file_that_is_not_utf8_is_refused_with_its_line(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")

    with pytest.raises(DocumentError, match="not UTF-8") as caught:
        read_document(path)

    assert caught.value.line == 2


def test_huge_file_is_refused(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b"a" * (MAX_BYTES + 1))

    with pytest.raises(DocumentError, match="no configuration"):
        read_document(path)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (0.1, "0.1"),
        ("plain.csv", "plain.csv"),
        ("6", "'6'"),
        ("null", "'null'"),
        ("", "''"),
        ("a\tb\n", '"a\\tb\\n"'),
        (("a", "b"), "[a, b]"),
        ({"train": False, "parts": ("bias",)}, "{train: false, parts: [bias]}"),
    ],
)
def test_value_is_written_on_one_line(value, text):
    assert yaml_value(value) == text


@given(JSON_LIKE)
def test_written_value_is_read_back(value):
    text = yaml_value(value)

    assert "\n" not in text
    assert parse_document(text).value == value
    assert parse_document(f"key: {text}").value == {"key": value}
