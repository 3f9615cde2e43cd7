"""Depth and rate as a space for KerasTuner, whose own tuners search it."""

import keras_tuner
import numpy as np
import pytest
import tf_keras

from tf_finetune.api.keras.hyper_model import HyperModel
from tf_finetune.errors import UserError
from tf_finetune.plans.rates import usual_rate

TEXTS = ["the film was good", "the plot was dull"] * 2
LABELS = np.array([1, 0] * 2)
pytestmark = pytest.mark.eager

# KerasTuner 1.4.8 names threads in an old way.
as_it_comes = pytest.mark.filterwarnings("ignore:currentThread", "ignore:getName")


def values(depth, factor=1.0):
    chosen = keras_tuner.HyperParameters()
    chosen.Fixed("depth", depth)
    chosen.Fixed("learning_rate_factor", factor)
    return chosen


@as_it_comes
def test_a_tuner_as_it_comes_searches_and_gives_the_best_model_back(flat_encoder, tmp_path):
    space = HyperModel(flat_encoder, num_labels=2, depths=[1], metrics=["accuracy"])
    tuner = keras_tuner.RandomSearch(space, "val_loss", max_trials=1, directory=tmp_path, seed=0)
    rows = space.preprocess(TEXTS)
    stops = tf_keras.callbacks.EarlyStopping(patience=9)
    options = {"epochs": 2, "callbacks": [stops], "verbose": 0}
    tuner.search(rows, LABELS, validation_data=(rows, LABELS), **options)

    (trial,) = tuner.oracle.get_best_trials()
    best, (chosen,) = tuner.get_best_models()[0], tuner.get_best_hyperparameters()
    assert trial.status == "COMPLETED"
    assert chosen.values.keys() == {"depth", "learning_rate_factor"}
    assert best.spec.plan.frozen_depth == 1
    assert best.optimizer.learning_rate.numpy() == pytest.approx(space.learning_rate(chosen))
    loss = best.task_loss()(LABELS, best(rows)).numpy()
    assert loss == pytest.approx(trial.score, rel=1e-4)


def test_rates_are_those_usual_for_depth_method_and_steps(tiny_encoder):
    space = HyperModel(tiny_encoder, num_labels=2, method="lora", steps=100)

    assert space.depths == (0, 1, 2, 3)
    for depth in space.depths:
        usual = usual_rate("auto", space.method, depth, 3, 100)
        assert space.learning_rate(values(depth)) == pytest.approx(usual, rel=0.05)
        assert space.learning_rate(values(depth, 3.0)) == pytest.approx(3 * usual, rel=0.05)


def test_weights_decay_but_for_biases_and_norms(tiny_encoder):
    space = HyperModel(tiny_encoder, num_labels=2, depths=[2], weight_decay=0.5)
    model = space.build(keras_tuner.HyperParameters())

    decays = [
        path
        for path, variable in model.classifier.by_path.items()
        if path in model.spec.plan.trainable_paths and model.optimizer._use_weight_decay(variable)
    ]
    assert decays
    assert all(path.endswith("kernel") for path in decays)
    assert model.optimizer.weight_decay == 0.5


@as_it_comes
def test_hyperband_goes_on_with_what_it_has_trained(flat_encoder, tmp_path):
    space = HyperModel(flat_encoder, num_labels=2, depths=[1])
    options = {"max_epochs": 2, "factor": 2, "hyperband_iterations": 1, "directory": tmp_path}
    tuner = keras_tuner.Hyperband(space, "val_loss", seed=0, **options)
    rows = space.preprocess(TEXTS)
    tuner.search(rows, LABELS, validation_data=(rows, LABELS), verbose=0)

    trials = tuner.oracle.trials.values()
    assert {trial.status for trial in trials} == {"COMPLETED"}
    assert any("tuner/trial_id" in trial.hyperparameters.values for trial in trials)


@pytest.mark.parametrize(
    "given, problems",
    [
        (
            {"depths": [0, 4, 5]},
            [
                f"freeze.depth: received {depth}; accepted: 0 to 3, the number of layers of this "
                "encoder"
                for depth in (4, 5)
            ],
        ),
        ({"depth": 1}, ["depth: received 1; accepted: depths, a list"]),
        ({"depths": []}, ["depths: received []; accepted: a list of frozen depths"]),
    ],
)
def test_mistakes_are_told_before_a_tuner_is_made(tiny_encoder, given, problems):
    with pytest.raises(UserError) as raised:
        HyperModel(tiny_encoder, num_labels=2, **given)
    assert raised.value.problems == problems
