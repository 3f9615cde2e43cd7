"""Tokenisation inside a graph gives the token ids of the fast tokenizer."""

import copy
import dataclasses
import sys

import numpy as np
import pytest
import tensorflow as tf
from transformers import BertTokenizerFast

from tf_finetune.errors import UserError
from tf_finetune.export.graph_tokenizer import GraphTokenizer
from tf_finetune.export.tokenizer_probes import probe_texts
from tf_finetune.export.tokenizer_recipe import read_recipe
from tf_finetune.export.tokenizer_skew import measure_skew

# Words, pieces and characters that the probes hit.
VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "un", "##aff", "##able", "the￥"),
    *("，", "。", "！", "？", "…", "½", "¿", "中", "漢", "한", "각", "##각", "☃", "ß", "é", "É"),
    *map(chr, range(0x21, 0x7F)),
    *(f"##{chr(code)}" for code in range(0x30, 0x7B)),
    *(f"{prefix}{mark}" for mark in "\u302e\u302f\U0001d165\U0001d16d" for prefix in ("", "##")),
    *(f"{prefix}{chr(code)}" for code in range(0x1100, 0x1200) for prefix in ("", "##")),
    *("\U0001d157", "\U0001d158", "\U0001f600", "##\u0301", "\u0301", "e\u0301"),
]


def make_tokenizer(folder, **options):
    path = folder / "vocab.txt"
    path.write_text("\n".join(dict.fromkeys(VOCABULARY)), encoding="utf-8")
    return BertTokenizerFast(str(path), **options)


@pytest.fixture(scope="module", params=["uncased", "cased", "uncased with accents"])
def tokenizer(request, tmp_path_factory):
    options = {
        "uncased": {},
        "cased": {"do_lower_case": False},
        "uncased with accents": {"strip_accents": False},
    }
    return make_tokenizer(tmp_path_factory.mktemp("vocabulary"), **options[request.param])


def test_no_probe_text_gets_other_tokens(tokenizer):
    texts = [(text,) for text in probe_texts(4000, 0, VOCABULARY)]

    skew = measure_skew(tokenizer, GraphTokenizer(read_recipe(tokenizer), 32), texts, 32)

    assert (skew.texts, skew.mismatches, skew.examples) == (4000, 0, [])


def test_no_pair_gets_other_tokens(tokenizer):
    pairs = zip(probe_texts(1000, 1, VOCABULARY), probe_texts(1000, 2, VOCABULARY), strict=True)

    skew = measure_skew(tokenizer, GraphTokenizer(read_recipe(tokenizer), 32), pairs, 32)

    assert (skew.texts, skew.mismatches, skew.examples) == (1000, 0, [])


def test_probes_would_find_what_is_missing(tmp_path):
    """Each part of the recipe matters to some probe text."""
    tokenizer = make_tokenizer(tmp_path)
    recipe = read_recipe(tokenizer)
    texts = [(text,) for text in probe_texts(2000, 0, VOCABULARY)]
    for change in (
        {"characters": dataclasses.replace(recipe.characters, sorts_marks=False)},
        {"max_word_characters": 99},
        {"special_ids": {"[PAD]": 0}},
        {"truncates_left": True},
    ):
        changed = GraphTokenizer(dataclasses.replace(recipe, **change), 32)
        assert measure_skew(tokenizer, changed, texts, 32).mismatches > 0, change


@pytest.fixture(scope="module")
def tokens_of(tiny_tokenizer, graph_tokenizer):
    def tokens(text):
        found = {n: value.numpy() for n, value in graph_tokenizer(tf.constant([text])).items()}
        assert found["attention_mask"].all() and not found["token_type_ids"].any()
        return tiny_tokenizer.convert_ids_to_tokens(found["token_ids"][0])

    return tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The FILM, was unwatchable!", "the film , was un ##watch ##able !"),
        ("fílm\u200b", "film"),
        ("a[SEP]b [sep]", "a [SEP] b [UNK] se ##p [UNK]"),
        ("[MASK][MASK", "[MASK] [UNK] ma ##s ##k"),
        ("中film", "[UNK] film"),
        ("x" * 101, "[UNK]"),
        ("", ""),
        (" \t\u3000\n", ""),
        (b"\xff\xfea\x80", "a"),
        ("\U000f0000a\U0010fffd", "a"),
    ],
)
def test_tokens_of_a_text(tokens_of, text, tokens):
    expected = tokens.replace("se ##p", "s ##e ##p").replace("ma ##s ##k", "m ##a ##s ##k")
    assert tokens_of(text) == ["[CLS]", *expected.split(), "[SEP]"]


def test_word_of_a_hundred_characters_is_still_spelt(tokens_of):
    assert tokens_of("b" * 100)[1:4] == ["b", "##b", "##b"]


def test_texts_of_a_batch_are_padded_to_the_longest(graph_tokenizer, tiny_tokenizer):
    found = graph_tokenizer(tf.constant(["a film", "the film was good"]))

    pad = tiny_tokenizer.pad_token_id
    assert found["token_ids"].numpy()[0, -2:].tolist() == [pad, pad]
    assert found["attention_mask"].numpy().tolist() == [[1, 1, 1, 1, 0, 0], [1] * 6]
    assert {value.dtype for value in found.values()} == {tf.int32}


def test_batch_without_texts_has_no_rows(graph_tokenizer):
    assert graph_tokenizer(tf.constant([], tf.string))["token_ids"].shape[0] == 0


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("max_length", [4, 5, 8, 9, 11])
def test_pairs_of_all_lengths_are_truncated_alike(tiny_tokenizer, side, max_length):
    tokenizer = copy.deepcopy(tiny_tokenizer)
    tokenizer.truncation_side = side
    words = b"a b c d e f g h i j".split()
    pairs = [
        (b" ".join(words[:first]), b" ".join(words[:second]))
        for first in range(11)
        for second in range(11)
    ]

    graph = GraphTokenizer(read_recipe(tokenizer), max_length)

    assert measure_skew(tokenizer, graph, pairs, max_length).mismatches == 0
    singles = [(first,) for first, _ in pairs]
    assert measure_skew(tokenizer, graph, singles, max_length).mismatches == 0


def test_ids_without_a_piece_keep_their_place(tmp_path):
    """A vocabulary that lists a piece twice has an id that no text gets."""
    path = tmp_path / "vocab.txt"
    path.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\na\nc\n")
    tokenizer = BertTokenizerFast(str(path))

    found = GraphTokenizer(read_recipe(tokenizer), 32)(tf.constant(["a b c"]))["token_ids"].numpy()

    np.testing.assert_array_equal(found, [tokenizer("a b c")["input_ids"]])
    assert 5 not in found


def test_missing_tensorflow_text_is_told_how_to_install(tiny_tokenizer, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)

    with pytest.raises(UserError, match=r"tensorflow-text is not installed.*\n.*tf-finetune\[exp"):
        GraphTokenizer(read_recipe(tiny_tokenizer), 8)
