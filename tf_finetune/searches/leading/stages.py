"""What is tried after the oracle has explored: pure functions of the trials that ended.

1. `completions`: Hyperband gives cells up after few epochs; the best of each place (a depth, and
   a method where several are tried) that it gave up altogether is trained for all epochs, so that
   places are compared fairly.
2. `widenings`: where a place's best rate is its lowest or highest, one rate beyond it.
3. `repetitions`: every cell that completed, with the other seeds.
"""

from collections.abc import Iterable

from tf_finetune.results.trial import Cell, Place
from tf_finetune.searches.leading.rates import RateRange
from tf_finetune.searches.leading.space import SearchSpace
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest

MOST_WIDENINGS = 2
# A drawn rate this near to an end of its range, as a share of the range, lies at the edge.
_NEAR = 0.15


def completions(
    space: SearchSpace, records: Iterable[TrialRecord], epochs: int, higher_is_better: bool
) -> list[TrialRequest]:
    """The best cell of each place of which no cell was trained for all epochs."""
    wanted = []
    found = _of_first_seed(space, records)
    for place in space.places:
        there = [r for r in found if r.request.cell.place == place and r.is_completed]
        if there and all(r.request.epochs < epochs for r in there):
            best = _best(there, higher_is_better)
            wanted.append(TrialRequest(best.request.cell, best.request.seed, epochs))
    return wanted


def widenings(
    space: SearchSpace, records: Iterable[TrialRecord], epochs: int, higher_is_better: bool
) -> list[TrialRequest]:
    """A rate beyond the edge for each place whose best rate lies there.

    A place gets at most `MOST_WIDENINGS` at each end. Rates of failed trials count as
    tried, so nothing is tried beyond them.
    """
    wanted = []
    found = [r for r in _of_first_seed(space, records) if r.request.epochs == epochs]
    for place in space.places:
        there = [r for r in found if r.request.cell.place == place]
        completed = [r for r in there if r.is_whole(epochs)]
        if not completed:
            continue
        best = _best(completed, higher_is_better)
        if best.request.cell.is_solved:
            continue
        extra = best.request.cell.extra
        alike = [r for r in there if r.request.cell.extra == extra]
        tried = {r.request.cell.rate_order for r in alike}
        # Where several rates score the same, nothing says that one beyond would be better.
        best_rates = {
            r.request.cell.rate_order for r in alike if r.result.score == best.result.score
        }
        beyond = _rate_beyond(space, place, best_rates, tried)
        if beyond is not None:
            cell = Cell(place.depth, beyond, extra)
            wanted.append(TrialRequest(cell, space.seeds[0], epochs))
    return wanted


def repetitions(
    space: SearchSpace, records: Iterable[TrialRecord], epochs: int
) -> list[TrialRequest]:
    """Every cell that trained for all epochs, with each other seed; a failure would come again.

    So would what was solved exactly, as it is the same for every seed.
    """
    cells = {r.request.cell: None for r in _of_first_seed(space, records) if r.is_whole(epochs)}
    # Deepest first, and cells that one model serves together.
    ordered = sorted(cells, key=lambda c: (-c.frozen_depth, str(c.extra), c.rate_order))
    return [
        TrialRequest(cell, seed, epochs)
        for seed in space.seeds[1:]
        for cell in ordered
        if not cell.is_solved
    ]


def _of_first_seed(space: SearchSpace, records: Iterable[TrialRecord]) -> list[TrialRecord]:
    return [record for record in records if record.request.seed == space.seeds[0]]


def _best(records: list[TrialRecord], higher_is_better: bool) -> TrialRecord:
    """The best score; of equal ones the lowest validation loss, and of these the lowest rate."""
    return min(
        records,
        key=lambda r: (r.result.order(higher_is_better), r.request.cell.rate_order),
    )


def _rate_beyond(
    space: SearchSpace, place: Place, best: set[float], tried: set[float]
) -> float | None:
    rates = space.rates_at(place)
    if len(tried) < 2 or len(rates) < 2 or len(best) > 1:
        return None
    (rate,) = best
    low, high = rates[0], rates[-1]
    margin = (high / low) ** _NEAR if isinstance(space.rates[place], RateRange) else 1.0
    for upwards in (True, False):
        at_edge = rate == (max(tried) if upwards else min(tried)) and (
            rate * margin >= high if upwards else rate <= low * margin
        )
        widened = sum(other > high if upwards else other < low for other in tried)
        if at_edge and widened < MOST_WIDENINGS:
            edge = max(rate, high) if upwards else min(rate, low)
            return space.rate_beyond(place, edge, upwards=upwards)
    return None
