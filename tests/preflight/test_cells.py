"""What a compiler's answer depends on is in the question, so that no other step is taken for it."""

from types import SimpleNamespace

import pytest

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.models.spec import Spec
from tf_finetune.preflight.cells import Job, question
from tf_finetune.preflight.step_shapes import StepShape
from tf_finetune.tasks.table import unnamed_labels


def asked(pooling="first", runs="step", **sections):
    spec = Spec(
        ExperimentConfig.model_validate(sections),
        SimpleNamespace(config={"num_hidden_layers": 2}, pooling=pooling),
        unnamed_labels("single_label", 2),
        (),
        SimpleNamespace(to_dict=dict),
    )
    return question(spec, StepShape(8, 32), SimpleNamespace(topology="v5e:1x1"), runs)


@pytest.mark.parametrize(
    "step",
    [{"optimizer": "sgd"}, {"precision": "mixed_bfloat16"}, {"clip_norm": None}],
    ids=str,
)
def test_another_step_is_another_question(step):
    assert asked(training=step)["training"] == asked()["training"] | step


def test_a_pass_is_another_question_than_a_step():
    assert asked(runs="pass") != asked()


def test_dropout_and_pooling_are_in_the_question():
    assert asked(encoder={"dropout": 0.3}) != asked()
    assert asked("mean") != asked("max") != asked()


@pytest.mark.parametrize(
    "same",
    [
        {"training": {"learning_rate": 0.5, "epochs": 9, "batch_size": 2, "seed": 7}},
        {"training": {"class_weights": "balanced", "strategy": "cpu"}},
        {"data": {"max_length": 64}},
    ],
    ids=str,
)
def test_numbers_that_a_step_is_given_are_not_in_the_question(same):
    assert asked(**same) == asked()


def test_rows_that_are_answered_as_a_whole_are_not_packed():
    def padding(task):
        return Job(None, ExperimentConfig(), unnamed_labels(task, 2), 16, 16).padding

    assert (padding("single_label"), padding("span")) == ("packed", "buckets")
