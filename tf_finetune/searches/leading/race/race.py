"""The race: which trial is next, why, and when no trial is worth running.

Cells race against each other (O. Maron and A. Moore, "Hoeffding Races", NIPS 1993; M. Birattari
et al., "A Racing Algorithm for Configuring Metaheuristics", GECCO 2002): who is worse beyond
doubt gets no more seeds. Everything is a function of the trials in the journal, so that a race
that was interrupted goes on as if nothing had happened.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from tf_finetune.machine.one_thread import one_thread
from tf_finetune.plans.rates import two_digits
from tf_finetune.results.trial import Cell, exact_rate
from tf_finetune.searches.leading.race.standing import RaceRules, Standing, standing_after
from tf_finetune.searches.leading.race.value import values
from tf_finetune.searches.leading.space import SearchSpace
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest

# A cell is out of the race when it is right in no more than this part of the chances allowed.
_OUT = 0.2

Ending = Literal["sure", "open", "all tried"]


class Step(NamedTuple):
    """A trial to run next, and why in a few words.

    Attributes:
        request: The trial.
        why: In a few words.
        chance_right: The probability that the likeliest answer is right without it; None while
            nothing can be compared.
    """

    request: TrialRequest
    why: str
    chance_right: float | None = None


@dataclass(frozen=True)
class Race:
    """Leads a race.

    Attributes:
        space: What may be tried.
        rules: How it is led.
        seconds: What a trial takes; before anything was timed, its work.
    """

    space: SearchSpace
    rules: RaceRules
    seconds: Callable[[TrialRequest], float]

    def standing(self, records: Iterable[TrialRecord]) -> Standing | None:
        """What is known after some trials; None before the first that completed."""
        with one_thread():
            return standing_after(self.space, self.rules, records)

    def next(
        self,
        records: Iterable[TrialRecord],
        ongoing: Collection[TrialRequest] = (),
        allows: Callable[[TrialRequest], bool] = lambda request: True,
    ) -> Step | Ending:
        """The trial to run now, or why the race ends.

        Args:
            records: The trials that ended.
            ongoing: Those that run now.
            allows: Whether there is time for a trial.
        """
        records = list(records)
        taken = {r.request.key for r in records} | {request.key for request in ongoing}
        busy = {request.cell for request in ongoing}
        opening = self._opening(records, taken)
        if opening is not None and allows(opening.request):
            return opening
        now = self.standing(records)
        if now is None:
            return "all tried"
        options = self._options(now, taken, busy, everyone=now.is_early)
        options = [request for request in options if allows(request)]
        if not now.is_early and now.chances[now.surest] <= 1.0 - self.rules.confidence:
            return self._second_seed(now, options) or "sure"
        if now.has_told_all:
            return "open"
        if not options:
            return "all tried"
        return self._most_valuable(now, options)

    def _opening(self, records: list[TrialRecord], taken: set[str]) -> Step | None:
        """What is tried before anything can be compared: heads, and the cheapest depth."""
        first, epochs = self.space.seeds[0], self.rules.epochs
        requests = [TrialRequest(cell, first, epochs) for cell in self.space.cells()]
        for request in requests:
            if request.cell.is_solved and request.key not in taken:
                return Step(request, "the head alone, solved exactly")
        if any(r.is_whole(epochs) and not r.request.cell.is_solved for r in records):
            return None
        for request in requests:
            if request.key not in taken:
                return Step(request, "a beginning, where a trial is cheapest")
        return None

    def _options(
        self, now: Standing, taken: set[str], busy: set[Cell], *, everyone: bool
    ) -> list[TrialRequest]:
        """The next seed of each cell of the space that is still in the race, or of everyone."""
        candidates = now.candidates
        least = 1.0 - _OUT * (1.0 - self.rules.confidence)
        later = _not_yet(now)
        found = []
        for index, cell in enumerate(candidates.cells[: candidates.inside]):
            if cell in busy or cell in later or (now.chances[index] > least and not everyone):
                continue
            requests = (
                TrialRequest(cell, seed, self.rules.epochs) for seed in self.space.seeds_of(cell)
            )
            found += [request for request in requests if request.key not in taken][:1]
        return found

    def _second_seed(self, now: Standing, options: list[TrialRequest]) -> Step | None:
        """The answer with a second seed: only repetition shows what chance in training does."""
        cell = now.candidates.cells[now.surest]
        if cell.is_solved or now.observed.counts[now.observed.at == now.surest][0] > 1:
            return None
        for request in options:
            if request.cell == cell:
                return Step(request, "the likely answer with a second seed", now.highest_chance)
        return None

    def _most_valuable(self, now: Standing, options: list[TrialRequest]) -> Step:
        places = np.array([now.candidates.place[request.cell] for request in options])
        with one_thread():
            worth = values(now.found, now.wrong, now.observed.at, places)
        seconds = np.array([self.seconds(request) for request in options])
        best = int((np.maximum(worth, 0.0) / np.maximum(seconds, 1e-9)).argmax())
        why = _why(now, options[best], int(places[best]))
        return Step(options[best], why, now.highest_chance)


def _not_yet(now: Standing) -> set[Cell]:
    """Cells of places that were not tried, but for the one of each that is likely its best."""
    cells, scores = now.candidates.cells, now.found.scores.mean(axis=0)
    known = _places_tried(now)
    best: dict[object, int] = {}
    for index, cell in enumerate(cells[: now.candidates.inside]):
        place = _place(cell)
        if place not in known and scores[index] > scores[best.setdefault(place, index)]:
            best[place] = index
    firsts = {cells[index] for index in best.values()}
    return {cell for cell in cells if _place(cell) not in known} - firsts


def _places_tried(now: Standing) -> set[tuple[object, ...]]:
    """Where a cell was trained by steps."""
    tried = (now.candidates.cells[at] for at in now.observed.at)
    return {_place(cell) for cell in tried if not cell.is_solved}


def _place(cell: Cell) -> tuple[object, ...]:
    """A depth and further options, whatever the rate."""
    return cell.frozen_depth, cell.extra


def _why(now: Standing, request: TrialRequest, place: int) -> str:
    """A reason in a few words."""
    cell = request.cell
    chance = f"right with {1.0 - now.chances[place]:.0%}"
    if place in now.observed.at:
        return f"still in the race ({chance}): another seed"
    if _place(cell) not in _places_tried(now):
        factor = 10.0 ** float(np.median(now.found.peak[:, place]))
        peak = exact_rate(two_digits(factor * now.candidates.usual.rate(cell)))
        options = (f"{name.rsplit('.', 1)[-1]}={value}" for name, value in cell.options.items())
        where = ", ".join([f"depth {cell.place_words}", *options])
        return f"{where} for the first time, by the curve best at {peak}"
    return f"a rate that may be better here ({chance})"
