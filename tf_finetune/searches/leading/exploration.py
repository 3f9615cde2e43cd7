"""KerasTuner's oracles, asked for the cells to explore.

An oracle proposes hyperparameters; this turns them into requests that were not made before
and tells the oracle what came of them. Facts about KerasTuner 1.4.8 that shape it:

- its state files do not survive a kill, so none are written and the oracle is fed from the
  journal instead;
- its Bayesian oracle proposes cells again that it has tried, so a repeated proposal is
  replaced by an untried cell;
- its random oracle gives up after 20 collisions, although cells may be left;
- its grid oracle waits for a trial to end before it proposes the one after the next, which
  would leave parallel workers idle, so its trials are ended as soon as they are proposed.
"""

import math
import random
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import keras_tuner
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tf_finetune.plans.rates import two_digits
from tf_finetune.results.trial import METHOD, Cell, Place
from tf_finetune.searches.leading.rates import RateRange
from tf_finetune.searches.leading.schedule import Wait
from tf_finetune.searches.leading.space import SearchSpace, cell_at
from tf_finetune.searches.running.trial_request import TrialRequest

OracleName = Literal["grid", "random", "bayesian", "hyperband"]
OBJECTIVE = "score"
_FACTOR = 3  # Hyperband's: of three cells one goes on, for three times the epochs
_MOST_REPETITIONS = 20


class _WithoutFiles:
    """Takes away what an oracle writes after every call."""

    def save(self) -> None:
        """Writes nothing."""

    def _save_trial(self, trial: Any) -> None:
        """Writes nothing."""


class Grid(_WithoutFiles, keras_tuner.oracles.GridSearchOracle):
    """Every cell."""


class Random(_WithoutFiles, keras_tuner.oracles.RandomSearchOracle):
    """Cells by chance."""


class Bayesian(_WithoutFiles, keras_tuner.oracles.BayesianOptimizationOracle):
    """Cells where a Gaussian process expects good scores or knows little."""


class Hyperband(_WithoutFiles, keras_tuner.oracles.HyperbandOracle):
    """Many cells for few epochs, the better ones for more."""


class Exploration:
    """Gives one request after the other until the oracle or the space has no more.

    Args:
        name: The oracle.
        space: What may be tried.
        epochs: `training.epochs`.
        higher_is_better: Direction of the score.
        replayed: Requests that an earlier process explored, in its order. The random and
            the Bayesian oracle begin with them.
    """

    def __init__(
        self,
        name: OracleName,
        space: SearchSpace,
        *,
        epochs: int,
        higher_is_better: bool,
        replayed: Iterable[TrialRequest] = (),
    ):
        self._name = name
        self._space = space
        self._epochs = epochs
        self._seed = space.seeds[0]
        self._cells = space.cells()
        self._replayed = deque(
            request
            for request in (replayed if name in ("random", "bayesian") else ())
            if space.holds(request.cell)
        )
        self._oracle = self._build_oracle("max" if higher_is_better else "min")
        # Requests by key: the oracle's trials that wait for its score.
        self._waiting: dict[str, list[keras_tuner.engine.trial.Trial]] = {}
        self._scores: dict[str, float | None] = {}
        self.requests: dict[str, TrialRequest] = {}

    def next(self) -> TrialRequest | Wait | None:
        """A request that was not given before, "wait" for the open ones, or None at the end."""
        for _ in range(_MOST_REPETITIONS):
            if self._is_full():
                return None
            with _quietly():
                trial = self._oracle.create_trial(f"request-{len(self._oracle.trials)}")
            if trial.status == "IDLE":
                return "wait"
            if trial.status == "STOPPED":
                return self._give(self._untried(), None)
            request = self._request_of(trial)
            if request.key in self.requests and self._name != "hyperband":
                request = self._untried() or request
            if request.key not in self.requests:
                return self._give(request, trial)
            self._wait_for(request, trial)
        return None

    def tell(self, request: TrialRequest, score: float | None) -> None:
        """Hands the oracle the score of a request, None if it has none."""
        self._scores[request.key] = score
        for trial in self._waiting.pop(request.key, []):
            self._end(trial, score)

    def _give(self, request: TrialRequest | None, trial: Any) -> TrialRequest | None:
        if request is None:
            return None
        self.requests[request.key] = request
        if trial is not None:
            self._wait_for(request, trial)
        return request

    def _wait_for(self, request: TrialRequest, trial: Any) -> None:
        if self._name == "grid":
            self._end(trial, 0.0)
        elif request.key in self._scores:
            self._end(trial, self._scores[request.key])
        else:
            # The oracle has to know what is tried in place of what it proposed.
            if self._name in ("random", "bayesian"):
                trial.hyperparameters.values = self._values_of(request.cell)
            self._waiting.setdefault(request.key, []).append(trial)

    def _end(self, trial: Any, score: float | None) -> None:
        trial.status = "FAILED" if score is None else "COMPLETED"
        with _quietly():
            if score is not None:
                self._oracle.update_trial(trial.trial_id, {OBJECTIVE: score})
            self._oracle.end_trial(trial)

    def _is_full(self) -> bool:
        if self._name not in ("random", "bayesian"):
            return False
        most = self._space.max_cells
        if self._space.is_finite:
            most = min(most, len(self._cells))
        return len(self.requests) >= most

    def _untried(self) -> TrialRequest | None:
        """Any listed cell that was not tried; a pure function of those that were."""
        if self._name not in ("random", "bayesian"):
            return None
        requests = [TrialRequest(cell, self._seed, self._epochs) for cell in self._cells]
        untried = [request for request in requests if request.key not in self.requests]
        if not untried:
            return None
        return random.Random(f"{self._seed} {len(self.requests)}").choice(untried)

    def _request_of(self, trial: Any) -> TrialRequest:
        if self._replayed:
            return self._replayed.popleft()
        values = trial.hyperparameters.values
        cell = self._cell_of(values)
        # A head that is solved has no epochs that could be fewer.
        epochs = self._epochs if cell.is_solved else values.get("tuner/epochs", self._epochs)
        return TrialRequest(cell, self._seed, epochs)

    def _cell_of(self, values: Mapping[str, Any]) -> Cell:
        if self._name == "grid":
            return self._cells[values["cell"]]
        methods = self._space.methods
        method = methods[values[METHOD]] if methods else None
        place = self._space.place_of(values["depth"], method)
        rates = self._space.rates[place]
        rate: float | None
        if self._space.is_solved(place):
            rate = None
        elif isinstance(rates, RateRange):
            rate = two_digits(rates.low * (rates.high / rates.low) ** values["rate"])
        elif self._space.is_finite:
            rate = rates[min(values["rate"], len(rates) - 1)]
        else:
            rate = rates[min(int(values["rate"] * len(rates)), len(rates) - 1)]
        dimensions = self._space.dimensions_at(place)
        return cell_at(place, rate, ((name, choices[values[name]]) for name, choices in dimensions))

    def _values_of(self, cell: Cell) -> dict[str, Any]:
        """The inverse of `_cell_of`; what a cell lacks is at its first value."""
        position = 0.0
        if cell.learning_rate is not None:
            position = self._position(cell.place, cell.learning_rate)
        extra = dict(cell.extra)
        values = {"depth": cell.frozen_depth, "rate": position}
        return values | {
            name: choices.index(extra[name]) if name in extra else 0
            for name, choices in self._choices()
        }

    def _position(self, place: Place, learning_rate: float) -> float:
        """Where a rate stands in those of its place."""
        rates = self._space.rates[place]
        if isinstance(rates, RateRange):
            share = math.log(learning_rate / rates.low) / math.log(rates.high / rates.low)
            return min(max(share, 0.0), 1.0)
        nearest = min(rates, key=lambda rate: abs(math.log(rate / learning_rate)))
        index = rates.index(nearest)
        return index if self._space.is_finite else (index + 0.5) / len(rates)

    def _choices(self) -> list[tuple[str, tuple[Any, ...]]]:
        """What is chosen from a list beside depth and rate."""
        methods = self._space.methods
        return [*([(METHOD, methods)] if methods else []), *self._space.dimensions]

    def _hyperparameters(self) -> keras_tuner.HyperParameters:
        """What the oracle sees: a rate's place in those of its depth and method, not the rate.

        So the typical rate is at the same place for every depth and method, and what is learnt
        at one tells about the others.
        """
        found = keras_tuner.HyperParameters()
        if self._name == "grid":
            found.Choice("cell", list(range(len(self._cells))))
            return found
        found.Choice("depth", list(self._space.depths))
        if self._space.is_finite:
            most = max(1, *(len(self._space.rates_at(place)) for place in self._space.places))
            found.Choice("rate", list(range(most)))
        else:
            found.Float("rate", 0.0, 1.0)
        for name, values in self._choices():
            found.Choice(name, list(range(len(values))))
        return found

    def _build_oracle(self, direction: str) -> keras_tuner.Oracle:
        options = {
            "objective": keras_tuner.Objective(OBJECTIVE, direction),
            "hyperparameters": self._hyperparameters(),
            "seed": self._seed + 1,  # it takes 0 for "any"
            "max_consecutive_failed_trials": 2**31,
        }
        oracle: keras_tuner.Oracle
        if self._name == "hyperband":
            oracle = Hyperband(
                max_epochs=self._epochs,
                factor=_FACTOR,
                hyperband_iterations=hyperband_iterations(self._epochs, self._space.max_cells),
                **options,
            )
        else:
            classes = {"grid": Grid, "random": Random, "bayesian": Bayesian}
            oracle = classes[self._name](max_trials=None, **options)
        oracle.verbose = 0
        return oracle


@contextmanager
def _quietly() -> Iterator[None]:
    """Without warnings of scikit-learn about its fits and of KerasTuner's old Python.

    And in one thread: the Gaussian process multiplies matrices of a few rows thousands of
    times, which several threads make three times slower.
    """
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore")
        yield


def hyperband_iterations(epochs: int, cells: int) -> int:
    """Whole sweeps of Hyperband that begin with at most this many cells, at least one.

    A sweep has a bracket for each power of 3 up to the epochs; bracket b begins with
    ceil(ceil(1 + log3(epochs)) / (b + 1) * 3 ** b) cells (Li and Jamieson, JMLR 2018).
    """
    brackets = 1
    while _FACTOR**brackets <= epochs:
        brackets += 1
    last = math.ceil(1 + math.log(epochs, _FACTOR))
    sweep = sum(math.ceil(last / (b + 1) * _FACTOR**b) for b in range(brackets))
    return max(1, cells // sweep)
