"""The tokenizer has to be there, fast, and of the encoder's vocabulary."""

import pytest
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.tokenizers import gives_types, load_tokenizer
from tf_finetune.errors import UserError


def test_tokenizer_of_the_folder_is_loaded(tiny_encoder):
    tokenizer = load_tokenizer(EncoderFiles("tiny", tiny_encoder))

    assert tokenizer.tokenize("the film was unwatchable") == [
        *("the", "film", "was"),
        *("un", "##watch", "##able"),
    ]


def test_missing_tokenizer_is_named(tmp_path):
    with pytest.raises(UserError, match=r"has no tokenizer; accepted: one of tokenizer\.json, voc"):
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


@pytest.mark.parametrize(
    ("kind", "model_type", "pieces"),
    [
        ("byte_level_tokenizer", "roberta", ["<s>", "good", "Ġwas", "</s>", "</s>", "Ã", "©"]),
        ("unigram_tokenizer", "xlm-roberta", ["<s>", "▁good", "▁was", "</s>", "</s>", "▁"]),
    ],
)
def test_tokenizers_of_other_kinds_are_loaded(
    kind, model_type, pieces, make_encoder, tmp_path, request
):
    expected = request.getfixturevalue(kind)
    folder = make_encoder(tmp_path, tokenizer=expected, model_type=model_type)

    tokenizer = load_tokenizer(EncoderFiles("kind", folder))

    pair = tokenizer("good was", "é").input_ids
    assert tokenizer.convert_ids_to_tokens(pair)[: len(pieces)] == pieces
    assert pair == expected("good was", "é").input_ids
    assert (tokenizer.pad_token_id, gives_types(tokenizer)) == (1, False)


def test_vocabulary_and_merges_are_enough(byte_level_tokenizer, make_encoder, tmp_path):
    folder = make_encoder(tmp_path, tokenizer=byte_level_tokenizer, model_type="roberta")
    (folder / "tokenizer.json").unlink()

    tokenizer = load_tokenizer(EncoderFiles("merges", folder))

    assert tokenizer("was good").input_ids == byte_level_tokenizer("was good").input_ids
    (folder / "merges.txt").unlink()
    with pytest.raises(UserError, match=r"accepted: one of .*vocab\.json with merges\.txt"):
        load_tokenizer(EncoderFiles("vocabulary", folder))


def test_what_cannot_be_converted_is_named(unigram_tokenizer, make_encoder, tmp_path):
    folder = make_encoder(tmp_path, tokenizer=unigram_tokenizer, model_type="xlm-roberta")
    (folder / "tokenizer.json").unlink()
    (folder / "sentencepiece.bpe.model").write_bytes(b"no model")

    with pytest.raises(UserError, match=r"bpe\.model: cannot be converted into a fast") as caught:
        load_tokenizer(EncoderFiles("sentencepiece", folder))

    assert "package sentencepiece is installed" in caught.value.hint


@pytest.mark.parametrize("end", ["</s>", None])
def test_what_ends_a_text_pads_where_nothing_else_does(end, make_encoder, tmp_path):
    backend = Tokenizer(models.WordLevel({"a": 0, "</s>": 1}))
    folder = make_encoder(tmp_path, vocab_size=2)
    PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=end).save_pretrained(folder)
    files = EncoderFiles("unpadded", folder)

    if end is None:
        with pytest.raises(UserError, match="has no padding token, which fills a batch up"):
            load_tokenizer(files)
    else:
        assert load_tokenizer(files).pad_token_id == 1
