"""The table says of every character what the fast tokenizer's normaliser does to it."""

import random

import pytest
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from tf_finetune.export.character_table import (
    ALONE,
    SEPARATOR,
    SPACE,
    WORD,
    derive_character_table,
)


@pytest.fixture(scope="module")
def uncased():
    return derive_character_table(BertNormalizer(lowercase=True))


@pytest.fixture(scope="module")
def cased():
    return derive_character_table(BertNormalizer(lowercase=False))


@pytest.mark.parametrize(
    ("character", "expected"),
    [
        ("a", [("a", WORD)]),
        ("A", [("a", WORD)]),
        ("é", [("e", WORD)]),
        ("İ", [("i", WORD)]),
        ("ß", [("ß", WORD)]),
        ("각", [("ᄀ", WORD), ("ᅡ", WORD), ("ᆨ", WORD)]),
        ("\u0301", []),
        ("中", [("中", ALONE)]),
        ("，", [("，", ALONE)]),
        ("…", [("…", ALONE)]),
        ("$", [("$", ALONE)]),
        ("½", [("½", WORD)]),
        ("€", [("€", WORD)]),
        ("\t", [(" ", SPACE)]),
        ("\u3000", [(" ", SPACE)]),
        ("\x00", []),
        ("\u200b", []),
        ("\ufffd", []),
        ("\ue000", []),
        ("\U0010ffff", [("\U0010ffff", WORD)]),
    ],
)
def test_characters_of_an_uncased_tokenizer(uncased, character, expected):
    assert uncased.outputs(character) == expected


@pytest.mark.parametrize(
    ("character", "expected"),
    [
        ("A", [("A", WORD)]),
        ("é", [("é", WORD)]),
        ("각", [("각", WORD)]),
        ("\u0301", [("\u0301", WORD)]),
        ("中", [("中", ALONE)]),
        ("\x00", []),
        ("\u034f", [("\u034f", WORD)]),
    ],
)
def test_characters_of_a_cased_tokenizer(cased, character, expected):
    assert cased.outputs(character) == expected
    assert not cased.sorts_marks


def test_dropped_starter_parts_the_marks_around_it(uncased):
    assert uncased.sorts_marks
    assert [kind for _, kind in uncased.outputs("\u034f")] == [SEPARATOR]


@pytest.mark.parametrize("lowercase", [True, False])
def test_table_agrees_with_the_tokenizer_on_single_characters(lowercase):
    normalizer, pre_tokenizer = BertNormalizer(lowercase=lowercase), BertPreTokenizer()
    table = derive_character_table(normalizer)
    codes = [c for c in range(0x3100) if not 0xD800 <= c <= 0xDFFF]
    codes += random.Random(0).sample(range(0xE000, 0x110000), 3000)
    for code in codes:
        outputs = table.outputs(chr(code))
        words = "".join(
            {WORD: c, ALONE: f" {c} ", SPACE: " ", SEPARATOR: ""}[kind] for c, kind in outputs
        )
        normal = normalizer.normalize_str(chr(code))
        expected = [piece for piece, _ in pre_tokenizer.pre_tokenize_str(normal)]
        assert words.split(" ") == [""] or [w for w in words.split(" ") if w] == expected, hex(code)
        assert "".join(c for c, kind in outputs if kind in (WORD, ALONE)) == "".join(expected)


def test_tables_are_small_and_kept(uncased):
    assert uncased.pages.nbytes + uncased.sequence_values.nbytes < 2**20
    assert derive_character_table(BertNormalizer(lowercase=True)) is uncased
