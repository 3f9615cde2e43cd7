"""Contributions against models whose integrals can be done by hand, and completeness."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.family import Sizes
from tf_finetune.encoders.variables import dense_variables
from tf_finetune.errors import UserError
from tf_finetune.evaluation.explanation.gradients import (
    Contributions,
    IntegratedGradients,
    Precision,
)
from tf_finetune.models.rounding import logit_rounding

pytestmark = pytest.mark.numeric

# A few additions and products of small whole numbers: as many units in the last binary digit.
ROUNDING = 8 * 2.0**-24

TABLE = np.array([[0.0, 0.0], [1.0, 2.0], [-3.0, 0.5], [4.0, -1.0]], np.float32)
WEIGHTS = np.array([[1.0, 10.0], [2.0, -10.0]], np.float32)  # two outputs
SIZES = Sizes(layers=2, hidden=2, heads=1, inner=2, vocabulary=4, positions=3, types=2)
TEXT, BASELINE, TYPES = np.array([3, 1, 2]), np.array([3, 0, 0]), np.zeros(3, int)


def by_formula(shape):
    """A classifier whose logits are a function of the weighted sum of its embeddings."""

    def embed(inputs, training):
        assert training is False
        return tf.gather(TABLE, inputs.content.ids)

    def encode(index, states, texts, training):
        return states + 0.0 * tf.cast(texts.mask, tf.float32)[:, :, None]

    def classify(states, texts, training):
        return shape(tf.reduce_sum(states, axis=1) @ WEIGHTS)

    return SimpleNamespace(
        embed=embed,
        encode=encode,
        classify=classify,
        plan=SimpleNamespace(frozen_depth=2),
        files=SimpleNamespace(
            sizes=SIZES, pooling="first", has_pooler=True, family=FAMILIES["bert"]
        ),
        table=tuple(dense_variables("head", "head", (2, 2), "head", "head")),
        by_path={"head/kernel": WEIGHTS, "head/bias": np.zeros(2)},
    )


def contributions(shape, output, **precision):
    gradients = IntegratedGradients(by_formula(shape))
    return gradients.of(TEXT, BASELINE, TYPES, (output,), Precision(**precision))


def test_a_linear_model_gives_weights_times_the_way():
    for output, expected in ((0, [0.0, 5.0, -2.0]), (1, [0.0, -10.0, -35.0])):
        found = contributions(lambda logits: logits, output, steps=1)

        assert found.by_token == pytest.approx(expected, rel=ROUNDING)
        assert found.output - found.baseline == pytest.approx(sum(expected), rel=ROUNDING)
        largest = np.abs(expected).max()
        assert (found.steps, found.gap) == (1, pytest.approx(0, abs=ROUNDING * largest))


def test_a_quadratic_model_shares_its_difference_by_the_way():
    # The sum goes from 2 to 5 and its square from 4 to 25: 21 for a way of 3, and so 7 each.
    found = contributions(tf.square, 0, steps=1)

    assert (found.baseline, found.output) == (4.0, 25.0)
    assert found.by_token == pytest.approx([0.0, 35.0, -14.0], rel=ROUNDING)


def test_steps_double_until_the_sum_is_within_the_tolerance():
    # Of (3 a)^3 the trapezoids of n steps are off by 27 / (2 n^2): 0.8 % of it for n = 8.
    def cube(logits):
        return tf.pow(logits - 2.0, 3)

    found = contributions(cube, 0, steps=1, most_steps=1024, tolerance=0.01)
    assert (found.steps, found.gap) == (8, pytest.approx(27 / 128, rel=1e-3))

    stopped = contributions(cube, 0, steps=1, most_steps=4, tolerance=0.01)
    assert (stopped.steps, stopped.gap) == (4, pytest.approx(27 / 32, rel=1e-3))
    assert not stopped.within(0.01)

    at_once = contributions(cube, 0, steps=8, most_steps=8)
    assert at_once.by_token == pytest.approx(found.by_token, rel=ROUNDING)


def test_batches_of_the_path_make_no_difference(monkeypatch):
    def cube(logits):
        return tf.pow(logits, 3)

    whole = contributions(cube, 1, steps=16)
    monkeypatch.setattr("tf_finetune.evaluation.explanation.gradients.TOKENS_AT_A_TIME", 12)

    found = contributions(cube, 1, steps=16)
    assert found.by_token == pytest.approx(whole.by_token, rel=ROUNDING)


def test_outputs_that_differ_by_rounding_alone_have_nothing_more_to_converge_to():
    # The output is a small difference of large terms: rounding follows from these.
    rounding = logit_rounding(by_formula(tf.square), len(TEXT))[0]
    nothing = np.zeros(3)

    within = Contributions(nothing, 1e-3 + rounding * 0.99, 1e-3, 16, rounding)
    beyond = Contributions(nothing, 1e-3 + rounding * 1.01, 1e-3, 16, rounding)

    assert within.within(0.001) and not beyond.within(0.001)
    assert contributions(tf.square, 0, steps=1).rounding == rounding


def test_outputs_that_are_not_finite_are_refused():
    with pytest.raises(UserError, match="NaN or infinite"):
        contributions(lambda logits: logits / 0.0, 0, steps=1)
