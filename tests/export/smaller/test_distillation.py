"""A student comes nearer to its teacher, and learns from labels only as far as it is told to."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batch import text_rows
from tf_finetune.export.smaller.cutting import write_cut
from tf_finetune.export.smaller.distillation import DistillationLoss
from tf_finetune.export.smaller.request import SmallerRequest
from tf_finetune.export.smaller.student import student_config, train_student
from tf_finetune.tasks.table import TASKS
from tf_finetune.training.loss import LabelLoss

pytestmark = pytest.mark.numeric

CONFIG = ExperimentConfig(
    data={"max_length": 32}, training={"batch_size": 16}, cache={"mode": "memory"}
)


def test_equal_answers_cost_nothing_in_any_task():
    logits = tf.constant([[0.3, -2.0], [5.0, 1.0]])

    for task in ("single_label", "multi_label", "regression"):
        np.testing.assert_allclose(
            TASKS[task].imitation_losses(logits, logits, 3.0), 0.0, atol=1e-6
        )


def test_divergence_of_softened_probabilities():
    teacher = tf.constant([[np.log(9.0) * 2, 0.0]], tf.float32)
    student = tf.constant([[0.0, 0.0]])

    # At temperature 2 the teacher says 0.9 and 0.1, the student a half each.
    divergence = 0.9 * np.log(0.9 / 0.5) + 0.1 * np.log(0.1 / 0.5)
    found = TASKS["single_label"].imitation_losses(teacher, student, 2.0)
    np.testing.assert_allclose(found, [4 * divergence], rtol=1e-5)
    # With several labels each is a question of its own, the second one answered alike.
    found = TASKS["multi_label"].imitation_losses(teacher, student, 2.0)
    np.testing.assert_allclose(found, [4 * divergence / 2], rtol=1e-5)
    assert TASKS["regression"].imitation_losses(teacher[:, :1], student[:, :1], 2.0).numpy() == (
        pytest.approx([(2 * np.log(9.0)) ** 2])
    )


def test_numbers_are_imitated_and_learnt_in_deviations_of_the_targets():
    loss = DistillationLoss(
        LabelLoss(SimpleNamespace(deviation=tf.constant(25.0)), TASKS["regression"]),
        teacher=lambda inputs, training: tf.constant([[60.0]]),
        teacher_weight=0.75,
        temperature=2.0,
    )

    losses = loss(None, tf.constant([85.0]), tf.constant([[35.0]]))

    np.testing.assert_allclose(losses, [0.75 * 1.0**2 + 0.25 * 2.0**2], rtol=1e-6)
    assert TASKS["regression"].imitation_losses(
        tf.constant([[60.0]]), tf.constant([[10.0]]), 2.0, 25.0
    ).numpy() == pytest.approx([4.0])


@pytest.fixture(scope="module")
def teacher(load, trained_files):
    return load(trained_files)


@pytest.fixture(scope="module")
def train(trained_files, teacher, tiny_splits, tmp_path_factory, quiet_console):
    def run(request):
        folder = tmp_path_factory.mktemp("student")
        cut = write_cut(trained_files, folder, request.distil or 2, {0: (1,)})
        config = student_config(request, CONFIG)
        return cut, train_student(cut, request, config, tiny_splits, teacher, quiet_console)

    return run


def test_distilled_student_is_nearer_to_its_teacher(train, load, teacher, tiny_splits):
    request = SmallerRequest(distil=2, epochs=6, learning_rate=3e-3, teacher_weight=1.0)

    cut, student = train(request)

    def margins(model):
        tokens = tiny_splits.test.gather(np.arange(len(tiny_splits.test)))
        logits = model(text_rows(**vars(tokens))).numpy()
        return logits[:, 1] - logits[:, 0]  # all that a softmax sees of two logits

    def distance(model):
        return np.abs(margins(model) - margins(teacher)).mean()

    assert distance(student) < 0.3 * distance(load(cut))
    again = train(request)[1]
    np.testing.assert_array_equal(margins(again), margins(student))


def test_without_teacher_only_pooler_and_head_are_trained(train, load):
    cut, student = train(SmallerRequest(drop_layers=1, epochs=1))

    before = load(cut)
    changed = {
        path
        for path, variable in student.by_path.items()
        if not np.array_equal(variable, before.by_path[path])
    }
    assert changed == {
        *(f"bert/pooler/dense/{name}" for name in ("kernel", "bias")),
        *(f"classifier/{name}" for name in ("kernel", "bias")),
    }


def test_rate_follows_what_is_trained_unless_it_is_given():
    def rate(**fields):
        return student_config(SmallerRequest(**fields), CONFIG).training.learning_rate

    assert rate(drop_layers=1) == 1e-3
    assert rate(distil=1) == 1e-4
    assert rate(distil=1, learning_rate=0.5) == 0.5
