"""From training to what is exported: a RoBERTa with pieces of bytes and pairs of texts, a GPT-2."""

import json

import numpy as np
import pytest
import tensorflow as tf

from trainers import explain, export, predict, train
from trainers.cli import run_command

pytestmark = [pytest.mark.eager, pytest.mark.numeric, pytest.mark.long]


@pytest.fixture(scope="module")
def trained(make_encoder, byte_level_tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("roberta")
    options = {"model_type": "roberta", "sizes": {"type_vocab_size": 1}}
    encoder = make_encoder(folder / "encoder", tokenizer=byte_level_tokenizer, **options)
    rows = [f"was good {n},it was good,yes\nwas dull {n},it was good,no" for n in range(20)]
    (folder / "pairs.csv").write_text("\n".join(["text,text_pair,label", *rows]) + "\n")
    options = [
        *(str(folder / "pairs.csv"), f"encoder.name={encoder}", f"run.dir={folder / 'run'}"),
        *(f"data.cache_dir={folder / 'cache'}", "data.text_pair_column=text_pair"),
        *(
            "data.validation_fraction=0.2",
            "data.test_fraction=0.2",
            "freeze.depth=2",
        ),
        *("training.epochs=1", "training.batch_size=16", "run.tensorboard=false"),
        *("evaluation.bootstrap_resamples=100", "evaluation.explained_mistakes=1"),
    ]
    assert run_command(train.main, options) == 0
    return folder / "run"


def test_texts_are_as_long_as_the_encoder_allows(trained):
    tokenizer = json.loads((trained / "model/tokenizer_config.json").read_text())

    assert tokenizer["model_max_length"] == 62


def test_exported_model_takes_token_ids_and_answers_alike(trained, byte_level_tokenizer, capsys):
    new, answers = trained.parent / "new.csv", trained.parent / "answers.jsonl"
    new.write_text("text,text_pair\nwas good,it was dull\n")
    assert run_command(predict.main, [str(trained), str(new), "--output", str(answers)]) == 0
    assert run_command(export.main, [str(trained), "--to", "savedmodel"]) == 0

    assert "takes token ids and no texts, because its tokenizer" in capsys.readouterr().out
    exported = trained / "export/savedmodel"
    assert (exported / "assets.extra/tokenizer.json").is_file()
    ids = byte_level_tokenizer("was good", "it was dull", return_tensors="np").input_ids
    ids = tf.constant(ids, tf.int32)
    served = tf.saved_model.load(str(exported)).signatures["serving_default"](
        token_ids=ids, token_type_ids=tf.zeros_like(ids), attention_mask=tf.ones_like(ids)
    )
    said = json.loads(answers.read_text())
    assert served["label"].numpy()[0].decode() == said["label"]
    np.testing.assert_allclose(
        max(served["probabilities"].numpy()[0]), max(said["probabilities"].values()), atol=1e-6
    )


def test_words_of_both_texts_are_explained(trained, capsys):
    texts = ["--text", "was good", "--text-pair", "it was dull"]

    assert run_command(explain.main, [str(trained), *texts]) == 0

    said = capsys.readouterr().out
    assert all(word in said for word in ("good", "dull"))


@pytest.fixture(scope="module")
def decoder(make_encoder, unmarked_tokenizer, tmp_path_factory):
    """A GPT-2 whose head, which has no bias, was solved for numbers around 50."""
    folder = tmp_path_factory.mktemp("gpt2")
    encoder = make_encoder(
        folder / "encoder", tokenizer=unmarked_tokenizer, model_type="gpt2", sizes={"n_inner": None}
    )
    rows = [f"was good {n},it was {'good' * (n % 3)}!,{50 + n % 3}" for n in range(40)]
    (folder / "numbers.csv").write_text("\n".join(["text,text_pair,label", *rows]) + "\n")
    options = [
        *(str(folder / "numbers.csv"), f"encoder.name={encoder}", f"run.dir={folder / 'run'}"),
        *(f"data.cache_dir={folder / 'cache'}", "data.text_pair_column=text_pair"),
        *("data.task=regression", "data.validation_fraction=0.2", "data.test_fraction=0.2"),
        *("freeze.depth=3", "run.tensorboard=false"),
        *("evaluation.bootstrap_resamples=100", "evaluation.explained_mistakes=0"),
    ]
    assert run_command(train.main, options) == 0
    return folder / "run"


def test_numbers_are_answered_without_a_bias(decoder, tmp_path):
    new, answers = tmp_path / "new.csv", tmp_path / "answers.jsonl"
    new.write_text("text,text_pair\nwas good 1,it was good!\nwas good 2,it was goodgood!\n")

    assert run_command(predict.main, [str(decoder), str(new), "--output", str(answers)]) == 0

    said = [json.loads(line)["value"] for line in answers.read_text().splitlines()]
    assert said == pytest.approx([51, 51], abs=3)
    rows = json.loads((decoder / "plan.json").read_text())["rows"]
    assert [row["path"] for row in rows if row["trainable"]] == ["score/kernel"]


def test_what_pads_is_told_to_whoever_loads_the_folder(decoder):
    config, tokenizer = (
        json.loads((decoder / "model" / name).read_text())
        for name in ("config.json", "tokenizer_config.json")
    )

    assert config["architectures"] == ["GPT2ForSequenceClassification"]
    assert (config["pad_token_id"], tokenizer["pad_token"]) == (0, "<|endoftext|>")
    assert "text_pooling" not in config
