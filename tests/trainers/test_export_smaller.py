"""`export` makes a smaller model first, and the formats are then made of that."""

import json

import numpy as np
import pytest
import tensorflow as tf
from huggingface_hub import ModelCard

from tf_finetune.data.batch import text_rows
from tf_finetune.runs.model_folder import check_model_folder
from tf_finetune.storage.manifests import damaged_files
from trainers import export
from trainers.cli import run_command

pytestmark = [pytest.mark.long, pytest.mark.eager]


@pytest.fixture(scope="module")
def exported(finished_run, tmp_path_factory):
    """One of three layers and a quarter of the heads dropped."""
    root = tmp_path_factory.mktemp("smaller") / "out"
    command = [str(finished_run), "--to", "huggingface,litert", "--output", str(root)]
    command += ["--precisions", "float32", "--drop-layers", "1", "--prune-heads", "0.25"]
    assert run_command(export.main, [*command, "--epochs", "1"]) == 0
    return root


@pytest.fixture
def batch():
    tokens = [[2, 9, 11, 14, 3], [2, 12, 16, 3, 0]]
    mask = [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]
    names = ("token_ids", "token_type_ids", "attention_mask")
    values = (tokens, np.zeros((2, 5)), mask)
    return {name: tf.constant(v, tf.int32) for name, v in zip(names, values, strict=True)}


@pytest.fixture(scope="module")
def record(exported):
    return json.loads((exported / "litert" / "export.json").read_text())


def test_folder_and_litert_file_answer_as_the_smaller_model(exported, batch, spec_for):
    from ai_edge_litert.interpreter import Interpreter

    from tf_finetune.models.building import build
    from tf_finetune.models.weights import OfRun

    files = check_model_folder(exported / "huggingface")
    expected = build(spec_for(files), OfRun())(text_rows(**batch), training=False)

    assert files.num_layers == 2
    path = str(exported / "litert" / "model-float32.tflite")
    litert = Interpreter(model_path=path).get_signature_runner("serving_default")
    found = litert(**{name: value.numpy() for name, value in batch.items()})["logits"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_record_says_what_was_done_and_measured(record, finished_run):
    made, found = record["smaller"], record["smaller"]["comparison"]

    assert (made["layers_before"], made["layers"]) == (3, 2)
    assert sum(len(heads) for heads in made["removed_heads"].values()) == 2
    assert made["done"] == (
        "its top 1 of 3 layers left out, 2 attention heads removed, pooler and head trained for 1 "
        "epoch at rate 0.001"
    )
    scores = json.loads((finished_run / "metrics.json").read_text())["test"]
    loss = found["loss"]
    assert (found["split"], loss["metric"]) == ("test", "accuracy")
    assert loss["original"] == pytest.approx(scores["accuracy"]["value"])
    assert loss["loss"] == pytest.approx(loss["original"] - loss["value"])
    assert found["bytes"] == 4 * found["parameters"] < found["original_bytes"]
    assert found["milliseconds"] > 0 and found["original_milliseconds"] > 0


def test_litert_files_are_held_against_the_original(record):
    (row,) = record["table"]["rows"]
    loss, expected = ({**found["loss"]} for found in (row, record["smaller"]["comparison"]))

    same = [found.pop("same_interval") for found in (loss, expected)]
    assert same[0] == pytest.approx(same[1])
    assert loss == pytest.approx(expected, abs=1e-4)


def test_card_is_that_of_the_smaller_model(exported, record):
    found = record["smaller"]["comparison"]
    card = ModelCard.load(exported / "huggingface" / "README.md")

    (result,) = card.data.eval_results
    assert result.metric_value == pytest.approx(found["loss"]["value"])
    assert f"with {found['parameters']:,} parameters" in card.text
    assert record["smaller"]["done"] in card.text
    assert "Removed heads are zeros in this folder" in card.text


def test_run_is_untouched(exported, finished_run):
    assert damaged_files(finished_run) == []
    assert check_model_folder(finished_run / "model").num_layers == 3


def test_auto_says_what_it_saw_and_a_loss_too_large_is_refused(
    finished_run, tmp_path, capsys, monkeypatch
):
    from tf_finetune.export.smaller import making

    def always_wrong(model, split, *others):
        wrong = split.labels if model.classifier.num_layers == 3 else 1 - split.labels
        return np.eye(2)[wrong]

    monkeypatch.setattr(making, "split_logits", always_wrong)
    command = ["--to", "huggingface", "--output", str(tmp_path / "out"), "--drop-layers", "auto"]

    code = run_command(export.main, [str(finished_run), *command, "--max-loss", "0.5"])

    shown = capsys.readouterr()
    # Texts of two kinds that one word tells apart: every layer knows it.
    assert "validation accuracy by depth" in shown.out
    assert "the top 2 of 3 layers are idle" in " ".join(shown.out.split())
    assert code == 2 and "--max-loss: the smaller model loses " in shown.err
    assert list(tmp_path.iterdir()) == []


def test_requests_that_do_not_fit_are_refused(finished_run, command_fails, tmp_path):
    command = [str(finished_run), "--to", "huggingface", "--output", str(tmp_path / "out")]

    error = command_fails(export.main, *command, "--drop-layers", "3", "--epochs", "0")

    assert "--drop-layers: received 3; accepted: 1 to 2, this model has 3 layers" in error
    assert "received alone" in command_fails(export.main, *command, "--temperature", "2")
    assert list(tmp_path.iterdir()) == []


def test_auto_needs_a_split_that_did_not_choose(finished_run, command_fails, tmp_path):
    command = [str(finished_run), "--to", "huggingface", "--output", str(tmp_path / "out")]

    error = command_fails(export.main, *command, "--drop-layers", "auto", "data.test_fraction=0")

    assert "--drop-layers: received auto for a run without test split" in error
