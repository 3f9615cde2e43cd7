"""The proof that the house is open: a family, a task and a method of ten lines each.

They are made up here and put into their tables, and train, search, predict and export take them
without another file being touched.
"""

import json
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest
import tensorflow as tf
from check_family import check_family
from check_method import check_method_plans
from check_task import check_task

from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.families.bert import Bert
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.locating import resolve_encoder
from tf_finetune.encoders.tokenizers import load_tokenizer
from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.method import Method
from tf_finetune.methods.table import METHODS
from tf_finetune.models.building import build
from tf_finetune.models.weights import Pretrained
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.table import TASKS
from trainers import export, predict, search, train
from trainers.cli import run_command

pytestmark = [pytest.mark.numeric, pytest.mark.eager]


class Terse(Bert):
    """BERT whose feed-forward parts are cut at zero, whatever its config.json says."""

    model_type = "terse"

    def encoder(self, wrapped, sizes):
        made = super().encoder(wrapped, sizes)
        for layer in made.layers:
            layer.activation = tf.nn.relu
        return made


@dataclass(frozen=True)
class Brier(Classes):
    """One class a text, learned by the squared error of its probabilities."""

    task = "brier"

    @staticmethod
    def losses(targets, logits, label_smoothing=0.0, deviation=1.0):
        wanted = tf.one_hot(targets, tf.shape(logits)[-1])
        return tf.reduce_sum(tf.square(tf.nn.softmax(logits) - wanted), axis=-1)


class Kernels(Method):
    """The matrices of dense layers train."""

    name: Literal["kernels"] = "kernels"

    @property
    def words(self) -> str:
        return "matrices"

    def trains(self, variable: Variable) -> bool:
        return variable.kind == "kernel"


@pytest.fixture(scope="module")
def tables():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FAMILIES, "terse", Terse())
        patch.setitem(TASKS, "brier", Brier)
        patch.setitem(METHODS, "kernels", Kernels)
        yield


@pytest.fixture(scope="module")
def encoder(tables, make_encoder, byte_level_tokenizer, tmp_path_factory):
    """With a tokenizer that stays outside an exported graph, where it would be traced for long."""
    folder = tmp_path_factory.mktemp("terse")
    return make_encoder(folder, model_type="terse", tokenizer=byte_level_tokenizer)


@pytest.fixture(scope="module")
def options(encoder, tiny_csv, tmp_path_factory):
    return [
        str(tiny_csv),
        f"encoder.name={encoder}",
        f"data.cache_dir={tmp_path_factory.mktemp('cache')}",
        "data.task=brier",
        *("data.max_length=16", "data.validation_fraction=0.2", "data.test_fraction=0.2"),
        *("evaluation.bootstrap_resamples=100", "evaluation.explained_mistakes=0"),
        *("training.epochs=1", "training.batch_size=16", "run.tensorboard=false"),
    ]


@pytest.fixture(scope="module")
def trained(options, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "trained"
    own = ("method.name=kernels", "freeze.depth=1", "training.learning_rate=0.01")
    own += ("encoder.pooling=mean", "encoder.layers=2")
    assert run_command(train.main, [*options, *own, f"run.dir={folder}"]) == 0
    return folder


def test_they_keep_their_contracts(encoder, spec_for):
    spec = spec_for(encoder)

    check_family(build(spec, Pretrained()), library=False)
    check_task("brier")
    check_method_plans(Kernels(), spec.variables, spec.plan.num_layers)


def test_the_family_computes_as_it_says(
    encoder, make_encoder, byte_level_tokenizer, spec_for, tmp_path
):
    like_it = make_encoder(tmp_path / "bert", tokenizer=byte_level_tokenizer, hidden_act="relu")
    ids = tf.constant([[2, 20, 30, 3], [2, 40, 3, 0]])
    inputs = text_rows(ids, tf.zeros_like(ids), tf.cast(ids > 0, tf.int32))

    files = resolve_encoder(str(encoder))
    model = build(spec_for(files), Pretrained())

    expected = build(spec_for(like_it), Pretrained())(inputs, training=False)
    np.testing.assert_array_equal(model(inputs, training=False), expected)
    assert load_tokenizer(files).is_fast


def test_they_train(trained):
    rows = json.loads((trained / "plan.json").read_text())["rows"]
    trains = [row["path"] for row in rows if row["trainable"] and row["part"] != "head"]
    config = json.loads((trained / "model/config.json").read_text())

    assert len(trains) == 6  # of the last layer that is used
    assert all(path.endswith("kernel") and "layer_._1" in path for path in trains)
    assert (config["model_type"], config["label_task"]) == ("terse", "brier")
    assert (config["text_pooling"], config["num_hidden_layers"]) == ("mean", 2)
    assert set(json.loads((trained / "metrics.json").read_text())) == {"test", "validation"}


def test_they_predict_and_are_exported(trained, byte_level_tokenizer, tmp_path):
    texts, answers = tmp_path / "new.csv", tmp_path / "answers.jsonl"
    texts.write_text("text\nthe film was good\nthe plot was dull\n")

    assert run_command(predict.main, [str(trained), str(texts), "--output", str(answers)]) == 0
    assert run_command(export.main, [str(trained), "--to", "savedmodel"]) == 0

    said = [json.loads(line) for line in answers.read_text().splitlines()]
    assert {answer["label"] for answer in said} <= {"neg", "pos"}
    exported = tf.saved_model.load(str(trained / "export/savedmodel"))
    ids = tf.constant(byte_level_tokenizer(["the film was good"]).input_ids)
    rows = {"token_ids": ids, "token_type_ids": 0 * ids, "attention_mask": 0 * ids + 1}
    served = exported.signatures["serving_default"](**rows)
    assert served["label"].numpy()[0].decode() == said[0]["label"]


def test_they_are_searched(options, tmp_path):
    folder = tmp_path / "searched"
    own = (
        "search.oracle=grid",
        "search.depths=2",
        "search.methods=kernels,full",
        "search.learning_rates=0.01",
        "search.first_answer=false",
    )
    more = ("search.seeds=0", "search.widen_edges=false", f"run.dir={folder}")

    assert run_command(search.main, [*options, *own, *more]) == 0

    found = json.loads((folder / "search.json").read_text())
    tried = [trial["request"]["cell"]["extra"]["method"] for trial in found["trials"]]
    assert sorted(tried) == ["full", "kernels"]
    assert found["task"] == "brier"
    assert found["answer"].startswith("Train ")
