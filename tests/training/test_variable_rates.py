"""Each variable is updated and decayed at its own rate, on every device."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.options.training import TrainingConfig
from tf_finetune.training.optimizers import WarmupSchedule, build_optimizer
from tf_finetune.training.strategy import build_strategy

pytestmark = pytest.mark.numeric

FACTORS = {"plain": 1.0, "lower": 0.25, "head": 10.0}


def optimizer_for(name, variables, factors=(), **options):
    schedule = WarmupSchedule("constant")
    schedule.set(0.01, 10, 0)
    optimizer = build_optimizer(
        TrainingConfig(optimizer=name, **options), schedule, rate_factors=factors
    )
    optimizer.build(variables)
    return optimizer


def moved(name, factor, weight_decay, steps=3):
    """How far a variable gets: at the factor of a rate, or at a rate that is so much."""
    gradients = np.random.default_rng(0).normal(size=(steps, 3, 4)).astype(np.float32)
    variable = tf.Variable(tf.ones([3, 4]))
    optimizer = optimizer_for(name, [variable], [(variable, factor)], weight_decay=weight_decay)
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient), variable)])
    return variable.numpy() - 1.0


@pytest.mark.parametrize("name", ["adamw", "sgd", "adafactor"])
@pytest.mark.parametrize("factor", [0.25, 10.0])
def test_a_factor_is_a_rate_that_is_so_much(name, factor):
    variable = tf.Variable(tf.ones([3, 4]))
    plain = optimizer_for(name, [variable], weight_decay=0.3)
    plain._learning_rate.set(0.01 * factor, 10, 0)
    for gradient in np.random.default_rng(0).normal(size=(3, 3, 4)).astype(np.float32):
        plain.apply_gradients([(tf.constant(gradient), variable)])

    # Three roundings of values near 1.
    np.testing.assert_allclose(moved(name, factor, 0.3), variable.numpy() - 1, atol=2e-6)


def test_weight_decay_is_scaled_along():
    variables = {name: tf.Variable([1.0, 2.0]) for name in FACTORS}
    factors = [(variables[name], factor) for name, factor in FACTORS.items()]
    optimizer = optimizer_for("adamw", list(variables.values()), factors, weight_decay=0.5)

    optimizer.apply_gradients([(tf.zeros([2]), v) for v in variables.values()])

    for name, factor in FACTORS.items():
        kept = 1 - 0.01 * factor * 0.5
        np.testing.assert_allclose(variables[name], [kept, 2 * kept], rtol=1e-6)


def test_the_rate_of_the_step_is_that_of_the_run_again():
    variable = tf.Variable([1.0])
    optimizer = optimizer_for("adamw", [variable], [(variable, 0.5)])

    optimizer.apply_gradients([(tf.ones([1]), variable)])

    assert float(optimizer.learning_rate) == pytest.approx(0.01)


@pytest.mark.parametrize("strategy", ["cpu", "mirrored"])
def test_layers_of_an_encoder_move_by_their_decay(build, splits, training, strategy):
    chosen = build_strategy(strategy)
    config = training(
        layer_decay=0.5, head_rate_factor=4.0, schedule="constant", warmup_fraction=0.0
    )
    model = build(splits, config, depth=0, chosen=chosen)
    model.start_run(config, total_steps=1)
    before = model.classifier.trainable_values()

    @tf.function(autograph=False)
    def step():
        ones = [(tf.ones_like(v), v) for v in model.classifier.trainable_weights]
        apply = partial(
            model.optimizer_state.optimizer.apply_gradients, ones, skip_gradients_aggregation=True
        )
        chosen.strategy.run(apply)

    step()

    layers = model.classifier.num_layers
    for row in model.classifier.plan.rows:
        change = np.abs(model.classifier.by_path[row.path].numpy() - before[row.path])
        below = layers + 1 if row.part == "embeddings" else layers - min(row.layers, default=layers)
        expected = config.learning_rate * (4.0 if row.part == "head" else 0.5**below)
        # The first step of Adam is the rate; decay adds a hundredth of values up to about 1.
        np.testing.assert_allclose(change, expected, rtol=0.05, err_msg=row.path)


def test_schedules_of_no_factor_use_the_optimiser_as_it_is():
    variable = tf.Variable([1.0])

    assert optimizer_for("adamw", [variable], [(variable, 1.0)])._factors is None
