"""Searches the space of somebody's own model function, with a journal that survives kills.

Example:
    >>> def build(hp):
    ...     model = tf_keras.Sequential([tf_keras.layers.Dense(hp.Int("units", 4, 64))])
    ...     model.compile("adam", "mse")
    ...     return model
    >>> trials = search_function(
    ...     build, objective="val_loss", direction="min", directory="runs/mine",
    ...     fit={"x": x, "y": y, "validation_data": held_out, "epochs": 5},
    ... )
    >>> trials[0].values
    {'units': 32}
"""

import json
import math
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras_tuner

from tf_finetune.errors import UserError
from tf_finetune.searches.leading.exploration import Bayesian, Grid, Random
from tf_finetune.searches.running.journal import Journal
from tf_finetune.storage.locking import exclusive_use

_ORACLES = {"grid": Grid, "random": Random, "bayesian": Bayesian}


@dataclass(frozen=True)
class FunctionTrial:
    """One set of values that was tried.

    Attributes:
        values: The hyperparameters by name.
        score: The objective; None if the trial failed.
        metrics: Every metric of the epoch with the best objective.
        reason: Why the trial failed.
    """

    values: dict[str, Any]
    score: float | None
    metrics: dict[str, float]
    reason: str | None = None


def search_function(
    hypermodel: Callable[[keras_tuner.HyperParameters], Any] | keras_tuner.HyperModel,
    *,
    objective: str,
    direction: Literal["max", "min"],
    directory: str | os.PathLike[str],
    fit: Mapping[str, Any] | None = None,
    oracle: Literal["grid", "random", "bayesian"] = "random",
    max_trials: int | None = 10,
    seed: int = 0,
) -> list[FunctionTrial]:
    """Tries hyperparameters of a function that builds a model, tf-keras models too.

    Called again with the same directory, it goes on where an earlier call ended or was
    killed; values that were tried are not tried again.

    Args:
        hypermodel: `build(hp)` that returns a compiled model, or a `HyperModel`, whose `fit`
            may return a history, a dictionary of metrics or one number.
        objective: Name of the metric that decides.
        direction: Whether it is to be large or small.
        directory: Where the journal goes.
        fit: Arguments of the model's `fit`.
        oracle: What decides what is tried next.
        max_trials: Most sets of values; None only for a grid, which ends by itself.
        seed: Of the oracle.

    Returns:
        The trials, best first, failed ones last.

    Raises:
        UserError: The directory is in use, or holds the journal of another function.
    """
    if oracle not in _ORACLES:
        raise UserError(f"oracle: received {oracle!r}; accepted: {', '.join(_ORACLES)}")
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    name = getattr(hypermodel, "__qualname__", type(hypermodel).__qualname__)
    with exclusive_use(folder):
        identity = {"function": name, "objective": objective, "direction": direction}
        journal = Journal(folder / "journal.jsonl", identity)
        for notice in journal.notices:
            warnings.warn(notice, stacklevel=2)
        tuner = _FunctionTuner(
            _ORACLES[oracle](
                objective=keras_tuner.Objective(objective, direction),
                max_trials=max_trials,
                seed=seed + 1,  # it takes 0 for "any"
                max_consecutive_failed_trials=2**31,
            ),
            hypermodel,
            journal,
        )
        tuner.search(**(fit or {}))
    sign = 1.0 if direction == "max" else -1.0
    return sorted(
        tuner.trials.values(),
        key=lambda trial: (trial.score is None, -sign * (trial.score or 0.0)),
    )


class _FunctionTuner(keras_tuner.Tuner):
    """Builds and fits, and answers from the journal what is known."""

    def __init__(self, oracle: keras_tuner.Oracle, hypermodel: Any, journal: Journal):
        oracle.verbose = 0
        with tempfile.TemporaryDirectory(prefix="tf-finetune-") as scratch:
            super().__init__(oracle, hypermodel, directory=scratch, project_name="search")
        self._journal = journal
        self.trials = {
            _key(record["values"]): FunctionTrial(**record) for record in journal.records
        }

    def search(self, *args: Any, **kwargs: Any) -> None:
        """Runs trials until the oracle has no more."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="keras_tuner")
            try:
                super().search(*args, **kwargs)
            except keras_tuner.errors.FatalError as error:
                raise (error.__cause__ or error) from None

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Fits one model; its own failures are recorded, errors in the function are raised."""
        values = dict(trial.hyperparameters.values)
        key = _key(values)
        if key not in self.trials:
            try:
                model = self.hypermodel.build(trial.hyperparameters)
                history = self.hypermodel.fit(trial.hyperparameters, model, *args, **kwargs)
                self._keep(dict(trial.hyperparameters.values), history)
            except keras_tuner.errors.FailedTrialError as error:
                self._keep_failure(values, str(error))
            except Exception as error:
                # KerasTuner would take it for a failed trial and try the next.
                raise keras_tuner.errors.FatalError(str(error)) from error
        found = self.trials[key]
        if found.score is None:
            raise keras_tuner.errors.FailedTrialError(found.reason)
        return {self.oracle.objective.name: found.score}

    def save(self) -> None:
        """Writes nothing: the journal is the record."""

    def _keep(self, values: dict[str, Any], history: Any) -> None:
        objective = self.oracle.objective
        metrics = _metrics(history, objective.name, objective.direction)
        score = metrics[objective.name]
        if not math.isfinite(score):
            self._keep_failure(values, f"{objective.name} is {score}")
            return
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        self._add(FunctionTrial(values, score, finite))

    def _keep_failure(self, values: dict[str, Any], reason: str) -> None:
        self._add(FunctionTrial(values, None, {}, reason))

    def _add(self, trial: FunctionTrial) -> None:
        self._journal.append(trial.__dict__)
        self.trials[_key(trial.values)] = trial


def _key(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True)


def _metrics(result: Any, objective: str, direction: str) -> dict[str, float]:
    """Metrics of the best epoch of a history, or what a `fit` returned instead."""
    if isinstance(result, int | float):
        return {objective: float(result)}
    if isinstance(result, Mapping):
        if objective not in result:
            raise KeyError(f"fit returned no {objective}; it returned {', '.join(result)}")
        return {name: float(value) for name, value in result.items()}
    logs = result.history
    if objective not in logs:
        raise KeyError(f"the history has no {objective}; it has {', '.join(logs)}")
    sign = 1.0 if direction == "max" else -1.0
    values = [sign * value if math.isfinite(value) else -math.inf for value in logs[objective]]
    best = values.index(max(values))
    return {name: float(series[best]) for name, series in logs.items()}
