"""A search whose trials are computed by a formula, for tests of what leads it.

As a script: `search_by_formula.py FOLDER KILLS SEED` kills searches of four oracles, see
`kill_again_and_again`; `search_by_formula.py work FOLDER [DEADLY]` is a worker, see `work`.
"""

import dataclasses
import hashlib
import math
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from tf_finetune.results.trial import Place, Predictions, TrialResult
from tf_finetune.searches.leading.race.candidates import Usual
from tf_finetune.searches.leading.race.race_schedule import RaceSchedule
from tf_finetune.searches.leading.race.standing import RaceRules
from tf_finetune.searches.leading.rates import RateRange
from tf_finetune.searches.leading.space import SearchSpace
from tf_finetune.searches.leading.staged_schedule import StagedSchedule, StageRules
from tf_finetune.searches.leading.trial_times import TimeBudget, TrialTimes
from tf_finetune.searches.leading.tuner import DepthTuner, SearchOracle
from tf_finetune.searches.running.records import TrialJournal, TrialRecord, write_predictions

GRID = {0: (1e-5, 3e-5, 1e-4), 2: (1e-4, 3e-4, 1e-3), 4: (3e-4, 1e-3, 3e-3)}
RANGES = {depth: RateRange(rates[0], rates[-1]) for depth, rates in GRID.items()}


def make_space(rates=GRID, *, seeds=(0, 1), max_cells=None, max_trials=None, dimensions=()):
    rates = {Place(depth): of_depth for depth, of_depth in rates.items()}
    space = SearchSpace(rates, dimensions, seeds, 0, max_trials)
    return dataclasses.replace(space, max_cells=max_cells or len(space.cells()))


def score_of(request):
    """Best in the middle of a depth's rates, better for less depth, a little by seed."""
    cell = request.cell
    middle = {0: 3e-5, 2: 3e-4, 4: 1e-3}[cell.frozen_depth]
    off = math.log10(cell.learning_rate / middle) ** 2
    chance = int(hashlib.sha256(request.key.encode()).hexdigest()[:4], 16) / 65536
    return 0.9 - 0.02 * cell.frozen_depth - 0.1 * off + 0.01 * chance + 0.01 * request.epochs


def race_rules(epochs, widen_edges=True):
    """Of trials by the formula, as if measured on some hundred examples."""
    middles = {depth: rates[1] for depth, rates in GRID.items()}

    def resampled(trial):
        seed = int(hashlib.sha256(trial.cell.key.encode()).hexdigest()[:8], 16)
        shared, own = np.random.default_rng(0), np.random.default_rng([seed, trial.seed])
        return trial.score + shared.normal(0, 0.01, 200) + own.normal(0, 0.004, 200)

    return RaceRules(
        epochs=epochs,
        higher_is_better=True,
        tolerance=lambda best: 0.01,
        unit=lambda best: 1.0,
        confidence=0.95,
        widen_edges=widen_edges,
        usual=Usual(6, lambda cell: middles.get(cell.frozen_depth, 1e-3)),
        resampled=resampled,
    )


class Silent:
    def on_begin(self, tuner_id, request):
        pass

    def on_end(self, tuner_id, record):
        pass


class FormulaSearch:
    """One process' part of a search; `ran` are the keys of the trials that it ran itself."""

    def __init__(
        self,
        folder,
        oracle="grid",
        space=None,
        *,
        score=score_of,
        epochs=3,
        widen_edges=True,
        seconds=0.0,
        budget=None,
    ):
        self.folder = Path(folder)
        self.score = score
        self.seconds = seconds
        self.ran = []
        (self.folder / "trials").mkdir(parents=True, exist_ok=True)
        self.journal = TrialJournal(
            self.folder / "journal.jsonl", self.folder / "trials", {"test": 1}
        )
        space = space or make_space()
        self.times = TrialTimes(
            {p: 10.0 - p.depth for p in (*map(Place, range(10)), *space.places)}
        )
        limit = None
        if budget is not None:
            limit = TimeBudget(budget, self.times, 0.0, time.monotonic())
        if oracle == "race":
            rules = race_rules(epochs, widen_edges)
            self.schedule = RaceSchedule(space, rules, self.journal, self.times, limit)
        else:
            rules = StageRules(oracle, epochs, higher_is_better=True, widen_edges=widen_edges)
            self.schedule = StagedSchedule(space, rules, self.journal, self.times, limit)
        self.oracle = SearchOracle(self.schedule, self.journal, True, Silent())

    def run(self):
        DepthTuner(self.oracle, self.trial, self.journal.append).search()
        return self

    def trial(self, request, stage):
        self.ran.append(request.key)
        time.sleep(self.seconds)
        value = self.score(request)
        name = request.folder_name(3)
        (self.folder / "trials" / name).mkdir(exist_ok=True)
        if isinstance(value, str):
            result = TrialResult(request.cell, request.seed, "failed", reason=value)
            return TrialRecord(request, stage, result, 1.0, (), name)
        predictions = Predictions(np.zeros(4, np.int32), np.full((4, 2), value, np.float32))
        digest = write_predictions(self.folder / "trials" / name / "validation.npz", predictions)
        result = TrialResult(
            request.cell,
            request.seed,
            "completed",
            score=value,
            trainable_parameters=10,
            seconds_per_epoch=1.0,
            epochs=request.epochs,
        )
        return TrialRecord(request, stage, result, self.seconds or 1.0, (), name, digest)

    @property
    def table(self):
        """Score or reason of every trial, by its request's key."""
        return {
            key: record.result.score if record.is_completed else record.result.reason
            for key, record in self.journal.records.items()
        }


SPACES = {
    "race": make_space(),
    "grid": make_space(),
    "random": make_space(RANGES, max_cells=8),
    "bayesian": make_space(RANGES, max_cells=7),
    "hyperband": make_space(RANGES, max_cells=10),
}


def kill_again_and_again(folder, oracle, kills, seed):
    """Forks a process that searches, kills it at random moments, and at last lets it end.

    Returns:
        How many processes were killed before they ended.
    """
    generator = random.Random(seed)
    killed = 0
    for attempt in range(kills + 1):
        child = os.fork()
        if child == 0:
            FormulaSearch(folder, oracle, SPACES[oracle], seconds=0.01).run()
            os._exit(0)
        if attempt < kills:
            time.sleep(generator.uniform(0.02, 0.2))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
    return killed


def work(folder, deadly=None):
    """A worker of KerasTuner's; the trial that is `deadly` ends the process."""
    import keras_tuner

    from tf_finetune.searches.leading.parallel import end_with_chief
    from tf_finetune.searches.leading.tuner import objective

    def trial(request, stage):
        if request.key == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return search.trial(request, stage)

    end_with_chief()
    search = FormulaSearch(folder)
    DepthTuner(keras_tuner.Oracle(objective=objective(True)), trial, search.journal.append).search()


if __name__ == "__main__":
    if sys.argv[1] == "work":
        work(*sys.argv[2:])
    else:
        for name in ("race", "grid", "random", "hyperband"):
            folder = Path(sys.argv[1]) / name
            times = kill_again_and_again(folder, name, int(sys.argv[2]), int(sys.argv[3]))
            print(f"{name}: {times}", flush=True)
