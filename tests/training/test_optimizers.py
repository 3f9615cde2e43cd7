"""Learning rates by hand, what weight decay leaves alone, and the state optimisers hold."""

import math

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tf_finetune.options.training import TrainingConfig
from tf_finetune.plans.arithmetic import optimizer_bytes
from tf_finetune.training.optimizers import WarmupSchedule, build_optimizer, warmup_steps
from tf_finetune.training.strategy import build_strategy

pytestmark = pytest.mark.numeric

# Warm-up of 2 steps to 1.0, then 4 steps down.
BY_HAND = {
    "linear": [0.5, 1.0, 1.0, 0.75, 0.5, 0.25],
    "cosine": [0.5, 1.0, 1.0, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2],
    "constant": [0.5, 1.0, 1.0, 1.0, 1.0, 1.0],
}


def schedule_for(shape, peak=1.0, total_steps=6, warmup=2):
    schedule = WarmupSchedule(shape)
    schedule.set(peak, total_steps, warmup)
    return schedule


@pytest.mark.parametrize("shape", BY_HAND)
def test_learning_rate_of_every_step(shape):
    schedule = schedule_for(shape)

    rates = [float(schedule(tf.constant(step))) for step in range(6)]

    np.testing.assert_allclose(rates, BY_HAND[shape], rtol=1e-6)


def test_schedule_without_warm_up_starts_at_the_peak():
    assert float(schedule_for("linear", peak=0.2, warmup=0)(0)) == pytest.approx(0.2)


def test_schedule_can_be_set_again():
    schedule = schedule_for("linear")
    schedule.set(10.0, 2, 0)

    assert float(schedule(tf.constant(1))) == 5.0


@pytest.mark.parametrize(("fraction", "steps", "expected"), [(0.1, 25, 2), (0.0, 25, 0)])
def test_warm_up_is_a_rounded_share(fraction, steps, expected):
    assert warmup_steps(TrainingConfig(warmup_fraction=fraction), steps) == expected


def variable(name, shape=(3, 5)):
    return tf.Variable(tf.ones(shape), name=name)


@pytest.mark.parametrize("name", ["adamw", "sgd", "adafactor"])
def test_weight_decay_leaves_alone_what_it_is_told_to(name):
    config = TrainingConfig(optimizer=name, weight_decay=0.5)
    decayed, spared = [variable("kernel"), variable("words")], [variable("bias"), variable("norm")]
    schedule = schedule_for("constant", peak=0.1, warmup=0)
    optimizer = build_optimizer(config, schedule, not_decayed=spared)
    both = decayed + spared
    optimizer.build(both)

    optimizer.apply_gradients([(tf.zeros_like(v), v) for v in both])

    for v in decayed:
        np.testing.assert_allclose(v, np.full((3, 5), 0.95), rtol=1e-6)  # 1 - 0.1 x 0.5
    for v in spared:
        np.testing.assert_array_equal(v, np.ones((3, 5)))


def test_weight_decay_shrinks_matrices_and_embeddings_of_an_encoder_on_every_replica(
    build, splits, training
):
    chosen = build_strategy("mirrored")
    config = training(weight_decay=0.5, optimizer="sgd", schedule="constant", warmup_fraction=0.0)
    model = build(splits, config, depth=0, chosen=chosen)
    model.start_run(config, total_steps=1)
    weights = model.classifier.by_path
    before = {path: v.numpy() for path, v in weights.items()}

    @tf.function(autograph=False)
    def without_gradients():
        zeros = [(tf.zeros_like(v), v) for v in model.classifier.trainable_weights]
        chosen.strategy.run(lambda: model.optimizer_state.optimizer.apply_gradients(zeros))

    without_gradients()

    shrunk = {path for path, value in before.items() if (weights[path].numpy() != value).any()}
    decayed = {v.path for v in model.classifier.table if v.kind in ("kernel", "embedding")}
    assert shrunk == decayed


def test_first_step_of_adamw_is_the_learning_rate_against_the_gradient():
    config = TrainingConfig(weight_decay=0.0)
    optimizer = build_optimizer(config, schedule_for("constant", peak=0.1, warmup=0))
    kernel = variable("m/dense/kernel", (2,))
    optimizer.build([kernel])

    optimizer.apply_gradients([(tf.constant([3.0, -0.01]), kernel)])

    np.testing.assert_allclose(kernel, [0.9, 1.1], rtol=1e-5)


def test_adamw_is_that_of_keras():
    config = TrainingConfig(weight_decay=0.1)
    ours = build_optimizer(config, schedule_for("linear", peak=0.1))
    keras = tf_keras.optimizers.AdamW(
        schedule_for("linear", peak=0.1), weight_decay=0.1, epsilon=1e-8, jit_compile=False
    )
    first, second = variable("m/dense/kernel"), variable("m/dense/kernel")
    generator = np.random.default_rng(0)
    ours.build([first])
    keras.build([second])

    for _ in range(5):
        gradient = tf.constant(generator.normal(size=(3, 5)), tf.float32)
        ours.apply_gradients([(gradient, first)])
        keras.apply_gradients([(gradient, second)])

    np.testing.assert_allclose(first, second, rtol=1e-5)


@pytest.mark.parametrize("name", ["adamw", "sgd", "adafactor"])
def test_state_that_keras_holds_is_what_the_arithmetic_says(name):
    variables = [variable("m/kernel", (3, 5)), variable("m/bias", (7,))]
    optimizer = build_optimizer(TrainingConfig(optimizer=name), WarmupSchedule("linear"))
    optimizer.build(variables)

    held = sum(v.dtype.size * math.prod(v.shape) for v in optimizer.variables if v.shape.rank)

    assert held == sum(optimizer_bytes(tuple(v.shape), name) for v in variables)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_loss_is_scaled_in_float16_alone(precision):
    optimizer = build_optimizer(TrainingConfig(precision=precision), WarmupSchedule("linear"))

    scaled = isinstance(optimizer, tf_keras.mixed_precision.LossScaleOptimizer)
    assert scaled == (precision == "mixed_float16")
