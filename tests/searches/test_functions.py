"""Somebody's own model function is searched with the same journal."""

import keras_tuner
import numpy as np
import pytest
import tf_keras

from tf_finetune.errors import UserError
from tf_finetune.searches.functions import search_function

X = np.linspace(-1, 1, 32, dtype=np.float32)[:, None]
FIT = {"x": X, "y": 3 * X, "validation_data": (X, 3 * X), "epochs": 2, "verbose": 0}
OPTIONS = {"objective": "val_loss", "direction": "min", "fit": FIT, "oracle": "grid"}


@pytest.fixture
def build():
    def build(hp):
        build.built += 1
        tf_keras.utils.set_random_seed(0)
        model = tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(1,))])
        model.compile(tf_keras.optimizers.SGD(hp.Choice("rate", [0.001, 0.1, 0.3])), "mse")
        return model

    build.built = 0
    return build


def test_best_values_come_first_and_are_not_tried_again(build, tmp_path):
    first = search_function(build, **OPTIONS, directory=tmp_path / "run")

    assert [trial.values["rate"] for trial in first] == [0.3, 0.1, 0.001]
    assert first[0].score < first[1].score
    assert first[0].metrics["val_loss"] == first[0].score
    built = build.built

    again = search_function(build, **OPTIONS, directory=tmp_path / "run")

    assert again == first
    assert build.built == built + 1  # KerasTuner builds once to learn the space


def test_search_that_was_ended_goes_on(build, tmp_path):
    few = search_function(build, **OPTIONS, max_trials=1, directory=tmp_path / "run")
    assert len(few) == 1

    assert len(search_function(build, **OPTIONS, directory=tmp_path / "run")) == 3


def test_hypermodel_may_fit_by_itself_and_fail(tmp_path):
    class Own(keras_tuner.HyperModel):
        def build(self, hp):
            return hp.Choice("x", [1, 2, 3])

        def fit(self, hp, model, *args, **kwargs):
            if model == 2:
                raise keras_tuner.errors.FailedTrialError("two is too much")
            return float("nan") if model == 3 else float(model)

    found = search_function(
        Own(), objective="value", direction="max", oracle="grid", directory=tmp_path
    )

    assert [(t.values["x"], t.score) for t in found] == [(1, 1.0), (2, None), (3, None)]
    assert [t.reason for t in found] == [None, "two is too much", "value is nan"]


def test_error_in_the_function_is_raised(tmp_path):
    def build(hp):
        hp.Choice("x", [1, 2])
        raise ZeroDivisionError("oops")

    with pytest.raises(ZeroDivisionError, match="oops"):
        search_function(build, **OPTIONS, directory=tmp_path)


def test_journal_of_another_function_is_refused(build, tmp_path):
    search_function(build, **OPTIONS, max_trials=1, directory=tmp_path)

    with pytest.raises(UserError, match="belongs to another search: objective"):
        search_function(build, **(OPTIONS | {"objective": "loss"}), directory=tmp_path)


def test_unknown_oracle_is_refused(build, tmp_path):
    with pytest.raises(UserError, match="received 'tpe'; accepted: grid, random, bayesian"):
        search_function(build, **(OPTIONS | {"oracle": "tpe"}), directory=tmp_path)
