"""Losses of starts and ends over the reads of a row."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from tf_finetune.tasks.spans.span_losses import (
    scored_losses,
    span_imitation_losses,
    span_losses,
)

TARGETS = np.array([[1, 2, 3], [0, 0, 4]], np.int32)


def logits(width=4):
    return np.random.default_rng(0).normal(size=(2, width, 2)).astype(np.float32)


def losses(by_read, smoothing=0.0):
    flat = tf.constant(by_read.reshape(len(by_read), -1))
    return span_losses(tf.constant(TARGETS), flat, smoothing).numpy()


def test_a_loss_is_the_mean_of_the_cross_entropies_of_start_and_end():
    by_read = logits()
    first = special.log_softmax(by_read[0, :3].astype(np.float64), axis=0)
    second = special.log_softmax(by_read[1].astype(np.float64), axis=0)
    expected = [-(first[1, 0] + first[2, 1]) / 2, -(second[0, 0] + second[0, 1]) / 2]
    assert losses(by_read) == pytest.approx(expected, rel=1e-6)
    assert scored_losses(by_read, TARGETS) == pytest.approx(expected, rel=1e-12)


def test_what_is_not_read_does_not_matter():
    by_read = logits()
    other = by_read.copy()
    other[0, 3] = 1e4
    padded = np.pad(by_read, ((0, 0), (0, 3), (0, 0)), constant_values=50.0)
    for smoothing in (0.0, 0.1):
        expected = losses(by_read, smoothing)
        for changed in (other, padded):
            assert losses(changed, smoothing) == pytest.approx(expected, rel=1e-6)
    assert scored_losses(padded, TARGETS) == pytest.approx(scored_losses(by_read, TARGETS))
    variable = tf.Variable(padded.reshape(2, -1))
    with tf.GradientTape() as tape:
        found = span_losses(tf.constant(TARGETS), variable, 0.1)
    slopes = tape.gradient(found, variable).numpy().reshape(2, -1, 2)
    assert not slopes[0, 3:].any()
    assert not slopes[1, 4:].any()
    assert slopes[0, :3].all()


def test_smoothing_spreads_a_share_over_the_reads_of_the_row():
    by_read = logits()
    logarithms = special.log_softmax(by_read[0, :3].astype(np.float64), axis=0)
    plain = -(logarithms[1, 0] + logarithms[2, 1]) / 2
    expected = 0.8 * plain - 0.2 * logarithms.mean()
    assert losses(by_read, 0.2)[0] == pytest.approx(expected, rel=1e-6)


def test_a_student_is_as_far_from_its_teacher_as_its_shares_are():
    teacher = logits()
    teacher[0, 3] = 0.0  # not read
    student = logits() + 1.0
    student[0, 1, 0] += 2.0
    flat = (tf.constant(one.reshape(2, -1)) for one in (teacher, student))
    found = span_imitation_losses(*flat, 2.0).numpy()
    given = special.log_softmax(teacher[0, :3, 0] / 2.0)
    other = special.log_softmax(student[0, :3, 0] / 2.0)
    expected = 4 * (np.exp(given) * (given - other)).sum() / 2
    assert found == pytest.approx([expected, 0.0], abs=1e-5)
