"""The tool that compares tokenizers takes what it is given, and ends with what it found."""

import argparse

import pytest

from tools.skew import measure


def arguments(tmp_path, **changes):
    texts = tmp_path / "texts.tsv"
    texts.write_bytes("fílm\tgood，\r\n\xff\n".encode("latin-1", errors="replace"))
    values = {"texts": [texts], "count": 40, "seed": 0, "max_length": 16, "tfbert": False}
    return argparse.Namespace(**(values | changes))


def test_fields_of_files_follow_the_texts_that_are_made(tmp_path, tiny_tokenizer):
    given = arguments(tmp_path, count=3)

    singles = list(measure._corpus(tiny_tokenizer, given, pairs=False))
    pairs = list(measure._corpus(tiny_tokenizer, given, pairs=True))

    assert singles[3:] == [(b"f\xedlm",), (b"good?",), (b"\xff",)]
    assert [len(pair) for pair in pairs] == [2] * 6
    assert pairs[0][0] == singles[0][0] != pairs[0][1]


def test_tokenizers_that_agree_are_no_failure(tmp_path, tiny_tokenizer, monkeypatch, capsys):
    monkeypatch.setattr("tensorflow.function", lambda function, *_, **__: function)  # no tracing
    tiny_tokenizer.save_vocabulary(str(tmp_path))

    assert measure._measure([tmp_path / "vocab.txt"], arguments(tmp_path)) == 0

    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "vocab " in line]
    assert [row[1:] for row in rows] == [
        ["yes", "single", "43", "0"],
        ["yes", "pairs", "43", "0"],
        ["no", "single", "43", "0"],
        ["no", "pairs", "43", "0"],
    ]


def test_tokenizers_that_differ_are_a_failure(tmp_path, tiny_tokenizer, monkeypatch, capsys):
    tiny_tokenizer.save_vocabulary(str(tmp_path))
    monkeypatch.setattr(measure, "GraphTokenizer", lambda recipe, length: broken)

    def broken(*texts):
        import tensorflow as tf

        rows = tf.zeros([tf.size(texts[0]), 1], tf.int32)
        return {"token_ids": rows, "token_type_ids": rows, "attention_mask": rows + 1}

    assert measure._measure([tmp_path / "vocab.txt"], arguments(tmp_path)) == 1
    assert "differs: (b" in capsys.readouterr().out


def test_missing_files_are_named(capsys):
    with pytest.raises(SystemExit):
        measure.main(["nowhere.txt"])

    assert "no such file: nowhere.txt" in capsys.readouterr().err
