"""The tokenizer has to be there, fast, and of the encoder's vocabulary."""

import pytest

from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.errors import UserError


def test_tokenizer_of_the_folder_is_loaded(tiny_encoder):
    tokenizer = load_tokenizer(EncoderFiles("tiny", tiny_encoder))

    assert tokenizer.tokenize("the film was unwatchable") == [
        *("the", "film", "was"),
        *("un", "##watch", "##able"),
    ]


def test_missing_tokenizer_is_named(tmp_path):
    with pytest.raises(UserError, match=r"has no tokenizer; accepted: tokenizer\.json or vocab"):
        load_tokenizer(EncoderFiles("empty", tmp_path))


def test_broken_tokenizer_is_named(make_encoder, tmp_path):
    folder = make_encoder(tmp_path / "encoder")
    (folder / "tokenizer.json").write_text("{")

    with pytest.raises(UserError, match="the tokenizer cannot be read"):
        load_tokenizer(EncoderFiles("broken", folder))


def test_tokenizer_of_a_larger_vocabulary_is_refused(make_encoder, tmp_path, tiny_tokenizer):
    largest = len(tiny_tokenizer) - 1
    folder = make_encoder(tmp_path / "encoder", vocab_size=50)

    with pytest.raises(
        UserError,
        match=f"largest token id is {largest}, the encoder has embeddings for ids 0 to 49",
    ):
        load_tokenizer(EncoderFiles("small", folder))
