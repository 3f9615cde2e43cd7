"""A bare vocabulary says itself whether texts are lower-cased, and a name may contradict it."""

import json

import pytest

from tf_finetune.encoders.letter_case import derived_lower_case
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.errors import UserError

LOWER = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film", "##s", "école"]
CASED = [*LOWER, "Film"]


@pytest.fixture
def folder(tmp_path):
    """Makes a folder of a name with a vocabulary."""

    def make(pieces, name="encoder", **files):
        made = tmp_path / name
        made.mkdir()
        (made / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
        for stem, content in files.items():
            (made / f"{stem}.json").write_text(json.dumps(content))
        return made

    return make


@pytest.mark.parametrize(
    ("pieces", "name", "lower"),
    [
        (LOWER, "encoder", True),
        (CASED, "encoder", False),
        ([*LOWER, "École"], "encoder", False),
        ([*LOWER, "Ⅱ", "[unused1]"], "encoder", True),
        (LOWER, "uncased_L-12_H-768_A-12", True),
        (CASED, "cased_L-12_H-768_A-12", False),
        (CASED, "multi_cased_L-12_H-768_A-12", False),
        (LOWER, "chinese_L-12_H-768_A-12", True),
    ],
)
def test_the_vocabulary_decides_and_it_is_said(folder, caplog, pieces, name, lower):
    assert derived_lower_case(folder(pieces, name)) is lower
    assert f"taken as {'uncased' if lower else 'cased'}, as its pieces" in caplog.text
    assert 'Write {"do_lower_case": true} or false into' in caplog.text


@pytest.mark.parametrize(
    ("pieces", "name"), [(CASED, "uncased_L-2"), (LOWER, "my-cased-bert"), (CASED, "chinese_L-12")]
)
def test_a_name_that_contradicts_it_is_refused(folder, pieces, name):
    with pytest.raises(UserError, match=r"by its name the encoder is (un)?cased, by its vocab"):
        derived_lower_case(folder(pieces, name))


@pytest.mark.parametrize("files", [{"tokenizer": {}}, {"tokenizer_config": {"do_lower_case": 1}}])
def test_what_is_said_is_not_derived(folder, caplog, files):
    assert derived_lower_case(folder(CASED, "uncased", **files)) is None
    assert caplog.text == ""


def test_a_folder_of_google_has_a_tokenizer(folder, bert_base):
    cased = folder([*CASED, "##ilm"], bert_config=bert_base)

    tokenizer = load_tokenizer(EncoderFiles("google", cased))

    assert tokenizer.tokenize("Films film École") == ["Film", "##s", "film", "[UNK]"]
