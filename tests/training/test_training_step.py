"""What one step does to weights and figures, of a model small enough to do it by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batch import Batch, Consecutive, Inputs, States, Texts, WholeBatch
from tf_finetune.models.spec import Spec
from tf_finetune.plans.freezing import FreezePlan
from tf_finetune.tasks.values import Values
from tf_finetune.training.compiling import compile_fine_tuner
from tf_finetune.training.strategy import without_strategy

pytestmark = pytest.mark.numeric

# Of a number times features, squared errors have the gradient mean(2 x (w x - y)).
START = 2.0
FEATURES, TARGETS = np.array([1.0, 3.0], np.float32), np.array([0.0, 4.0], np.float32)
GRADIENT = 8.0  # (2 * 1 * 2 + 2 * 3 * 2) / 2
RATE = 2.0**-6
STEP = RATE * 1.9  # Nesterov's first step: the momentum of 0.9 and the gradient itself


class OneWeight(tf.Module):
    """A classifier of one output that is one weight times the state."""

    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(START)
        self.deviation = tf.constant(1.0)
        self.trainable_weights, self.non_trainable_weights = [self.weight], []
        self.plan = FreezePlan((), num_layers=0)
        self.of_kinds = lambda *kinds: []
        self.rate_factors = []

    def __call__(self, inputs, training=None):
        return self.weight * inputs.content.values


def fine_tuner(**options):
    values = {"optimizer": "sgd", "schedule": "constant", "learning_rate": RATE}
    values |= {"warmup_fraction": 0.0, "weight_decay": 0.0, "clip_norm": None}
    config = ExperimentConfig.model_validate({"training": values | options})
    spec = Spec(config, None, Values(), (), None)
    model = compile_fine_tuner(OneWeight(), spec, without_strategy())
    model.start_run(config.training, total_steps=10)
    return model


def batch_of(features, targets):
    rows = len(features)
    texts = Texts(tf.ones([rows, 1], tf.int32), tf.zeros([rows, 1], tf.int32))
    return Batch(
        inputs=Inputs(States(tf.constant(features[:, None])), texts),
        targets=tf.constant(targets[:, None]),
        weights=tf.ones([rows, 1]),
        place=Consecutive(tf.constant(0, tf.int64)),
        whole=WholeBatch(*tf.zeros(2, tf.int64), tf.constant(float(rows))),
    )


def step(model, features=FEATURES, targets=TARGETS):
    return {k: float(v) for k, v in model.step(batch_of(features, targets)).items()}


@pytest.mark.parametrize(
    ("clip_norm", "length"), [(None, GRADIENT), (100.0, GRADIENT), (2.0, 2.0), (0.5, 0.5)]
)
def test_longer_gradients_are_cut_to_clip_norm_and_shorter_ones_stay(clip_norm, length):
    model = fine_tuner(clip_norm=clip_norm)

    logs = step(model)

    assert logs["gradient_norm"] == GRADIENT  # before clipping
    assert float(model.classifier.weight) == pytest.approx(START - STEP * length, rel=2.0**-22)


def test_loss_that_is_scaled_for_float16_moves_weights_as_the_loss_itself():
    model = fine_tuner(precision="mixed_float16")
    assert float(model.optimizer_state.optimizer.loss_scale) > 1000

    logs = step(model)

    assert logs["gradient_norm"] == GRADIENT  # powers of two leave all digits as they are
    assert float(model.classifier.weight) == pytest.approx(START - STEP * GRADIENT, rel=2.0**-22)


def test_loss_of_an_epoch_is_the_mean_over_its_examples():
    model = fine_tuner(learning_rate=1e-30)  # so that both steps see the same weight

    first = step(model, np.float32([1, 1, 1]), np.float32([2, 2, 2]))  # no error
    last = step(model, np.float32([1]), np.float32([6]))  # one of 4

    assert (first["step_loss"], last["step_loss"]) == (0.0, 16.0)
    assert (first["loss"], last["loss"]) == (0.0, 4.0)
