"""What a race runs next and when it ends; trials are made up by hand."""

from dataclasses import replace

import numpy as np
import pytest

from tf_finetune.results.trial import Cell, Place, TrialResult
from tf_finetune.searches.leading.race.candidates import Usual, candidates_of
from tf_finetune.searches.leading.race.curve import all_hypotheses
from tf_finetune.searches.leading.race.observed import Observed
from tf_finetune.searches.leading.race.posterior import posterior
from tf_finetune.searches.leading.race.race import Race, Step
from tf_finetune.searches.leading.race.standing import RaceRules, standing_after
from tf_finetune.searches.leading.space import SearchSpace
from tf_finetune.searches.running.records import TrialRecord
from tf_finetune.searches.running.trial_request import TrialRequest

RATES = {Place(0): (1e-5, 3e-5, 1e-4), Place(2): (1e-4, 3e-4, 1e-3), Place(3): ()}
SPACE = SearchSpace(RATES, (), (0, 1), 7, None)
MIDDLES = {0: 3e-5, 1: 1e-4, 2: 3e-4}
USUAL = Usual(3, lambda cell: MIDDLES[cell.frozen_depth])
HEAD = Cell(3, None)


def resampled(trial):
    """As of a few hundred examples that all trials share, and a little of its own."""
    shared = np.random.default_rng(0).normal(0, 0.01, 300)
    own = np.random.default_rng([int(1e6 * trial.score), trial.seed]).normal(0, 0.002, 300)
    return trial.score + shared + own


RULES = RaceRules(
    epochs=3,
    higher_is_better=True,
    tolerance=lambda best: 0.01,
    unit=lambda best: 1.0,
    confidence=0.95,
    widen_edges=True,
    usual=USUAL,
    resampled=resampled,
)


def record_of(cell, score, seed=0, epochs=3, **more):
    request = TrialRequest(cell, seed, epochs)
    if score is None:
        result = TrialResult(cell, seed, "failed", reason="the loss became nan")
    else:
        values = {"trainable_parameters": 10, "seconds_per_epoch": 1.0, "epochs": epochs, **more}
        result = TrialResult(cell, seed, "completed", score=score, **values)
    return TrialRecord(request, "race", result, 1.0, (), "x")


def seconds(request):
    return 1.0 if request.cell.is_solved else 10.0 - request.cell.frozen_depth


def race(space=SPACE, rules=RULES):
    return Race(space, rules, seconds)


def test_the_head_that_is_solved_comes_first_then_the_cheapest_depth_at_its_middle_rate():
    first = race().next([])
    second = race().next([record_of(HEAD, 0.6)])

    assert first.request == TrialRequest(HEAD, 0, 3)
    assert second.request == TrialRequest(Cell(2, 3e-4), 0, 3)


def test_a_cell_that_failed_takes_the_higher_rates_of_its_depth_out_of_the_race():
    failed = record_of(Cell(2, 3e-4), None)

    cells = candidates_of(SPACE, [failed], USUAL, epochs=3, widen_edges=True).cells

    at_depth = sorted(cell.learning_rate for cell in cells if cell.frozen_depth == 2)
    assert max(at_depth) == 1e-4
    assert len([cell for cell in cells if cell.frozen_depth == 0]) == 7
    assert HEAD in cells


def test_a_trial_that_was_given_up_is_out_and_other_rates_are_not():
    given_up = record_of(Cell(2, 3e-4), 0.5, given_up=True)

    cells = candidates_of(SPACE, [given_up], USUAL, epochs=3, widen_edges=False).cells

    assert sorted(c.learning_rate for c in cells if c.frozen_depth == 2) == [1e-4, 1e-3]


def test_rates_beyond_the_edges_run_only_where_edges_are_widened():
    def rates(widen):
        cells = candidates_of(SPACE, [], USUAL, epochs=3, widen_edges=widen).cells
        return sorted(cell.learning_rate for cell in cells if cell.frozen_depth == 0)

    assert rates(False) == [1e-5, 3e-5, 1e-4]
    assert rates(True) == pytest.approx([1.1e-6, 3.3e-6, 1e-5, 3e-5, 1e-4, 3.3e-4, 1.1e-3])


def test_errors_of_examples_that_are_no_covariance_are_made_one():
    candidates = candidates_of(SPACE, [], USUAL, epochs=3, widen_edges=False)
    no_covariance = np.full((3, 3), 0.013) - 0.003 * np.eye(3)
    observed = Observed(
        at=np.arange(3),
        means=np.array([0.6, 0.7, 0.65]),
        seeds=((0,), (0,), (0,)),
        examples=no_covariance,
        seed_variance=0.0,
        freedom=0,
    )

    found = posterior(candidates, observed, 1.0)

    assert np.linalg.eigvalsh(no_covariance)[0] < 0
    assert np.isfinite(found.scores).all() and np.isfinite(found.here).all()


def test_a_completed_cell_of_another_space_is_known_but_gets_no_trial():
    other = Cell(1, None, (("encoder.layers", 1),))
    records = [record_of(HEAD, 0.6), record_of(other, 0.9), record_of(Cell(2, 3e-4), 0.7)]

    now = standing_after(SPACE, RULES, records)
    step = race().next(records)

    assert now.candidates.cells[now.surest] == other
    assert now.chance_right(other) > now.chance_right(Cell(2, 3e-4))
    assert step.request.cell in {*now.candidates.cells[: now.candidates.inside]} - {other}


def test_a_depth_whose_first_layers_alone_were_solved_is_still_tried_for_the_first_time():
    cut = [record_of(Cell(k, None, (("encoder.layers", k),)), 0.5) for k in (1, 2)]
    records = [record_of(HEAD, 0.5), *cut, record_of(Cell(2, 3e-4), 0.6)]

    step = race().next(records, allows=lambda request: request.cell.frozen_depth == 0)

    assert step.why.startswith("depth 0 for the first time, by the curve best at ")
    space = SearchSpace({Place(1): (1e-4,), **RATES}, (), (0, 1), 8, None)
    step = race(space).next(records, allows=lambda request: request.cell.frozen_depth == 1)
    assert step.why.startswith("depth 1 for the first time, by the curve best at ")


def test_a_depth_is_new_with_each_further_option():
    sizes = (("training.batch_size", (16, 32)),)
    space = SearchSpace(RATES, sizes, (0, 1), 13, None)
    known = Cell(2, 3e-4, (("training.batch_size", 16),))
    records = [record_of(HEAD, 0.5), record_of(known, 0.6)]

    def only_the_other(request):
        return request.cell.frozen_depth == 2 and dict(request.cell.extra) != dict(known.extra)

    step = race(space).next(records, allows=only_the_other)

    assert step.why.startswith("depth 2, batch_size=32 for the first time, by the curve best at ")


def test_a_peak_seen_where_trials_are_cheap_decides_the_rate_where_they_are_expensive():
    cheap = [record_of(HEAD, 0.5)]
    for rate, score in ((1e-4, 0.60), (3e-4, 0.70), (1e-3, 0.78), (3.3e-3, 0.70)):
        cheap.append(record_of(Cell(2, rate), score))

    now = standing_after(SPACE, RULES, cheap)

    at_zero = {
        cell.learning_rate: float(now.found.scores[:, place].mean())
        for cell, place in now.candidates.place.items()
        if cell.frozen_depth == 0
    }
    assert max(at_zero, key=at_zero.get) == 1e-4  # three times the typical rate, as at depth 2


def clear_winner():
    records = [record_of(HEAD, 0.5)]
    for depth, best in ((2, 0.70), (0, 0.90)):
        records += [
            record_of(Cell(depth, rate), best - lost)
            for rate, lost in zip(RATES[Place(depth)], (0.08, 0.0, 0.08), strict=True)
        ]
    return records


def test_an_answer_that_is_sure_is_repeated_before_the_race_ends():
    records = clear_winner()

    step = race().next(records)
    repeated = race().next([*records, record_of(Cell(0, 3e-5), 0.902, seed=1)])
    one_seed = race(SearchSpace(RATES, (), (0,), 7, None)).next(records)

    assert step.request == TrialRequest(Cell(0, 3e-5), 1, 3)
    assert repeated == one_seed == "sure"


def test_one_trial_far_off_its_best_rate_does_not_end_a_race():
    records = [record_of(HEAD, 0.8), record_of(Cell(2, 3e-4), 0.45)]

    step = race().next(records)
    of_two = race(
        SearchSpace({Place(2): (3e-4,), Place(3): ()}, (), (0,), 2, None), without_widening()
    )

    assert step.request.cell not in {HEAD, Cell(2, 3e-4)}
    assert of_two.next(records) == "sure"  # there is nothing else to learn from


def without_widening():
    return replace(RULES, widen_edges=False)


def test_rates_above_the_best_may_lose_more_than_rates_below_it():
    one = all_hypotheses(1.0)
    share, offset, same = np.array([0.5, 0.5]), np.array([-0.5, 0.5]), np.zeros(2, int)
    narrow = one.at((one.shift == 0) & (one.tilt == 0) & (one.above < 1))

    below, above = narrow.lost(share, offset, same).T

    assert (above > below).all()
    even = one.at((one.shift == 0) & (one.tilt == 0) & (one.above == 1)).lost(share, offset, same)
    assert (even[:, 0] == even[:, 1]).all()


def test_a_depth_is_first_tried_at_the_rate_that_is_likely_its_best():
    records = [record_of(HEAD, 0.5)]
    for rate, score in ((1e-4, 0.60), (3e-4, 0.70), (1e-3, 0.78), (3.3e-3, 0.70)):
        records.append(record_of(Cell(2, rate), score))

    while (step := race().next(records)).request.cell.frozen_depth != 0:
        records.append(record_of(step.request.cell, 0.7, step.request.seed))

    assert step.request.cell == Cell(0, 1e-4)  # three times the typical rate, as at depth 2


def test_a_step_says_how_likely_the_answer_without_it_is_right_once_cells_are_compared():
    records = clear_winner()
    beginning = race().next(records[:1])
    step = race().next(records)

    now = standing_after(SPACE, RULES, records)
    assert beginning.chance_right is None
    assert step.chance_right == now.highest_chance == now.chance_right(Cell(0, 3e-5)) > 0.95


def test_a_cell_that_is_worse_beyond_doubt_gets_no_other_seed():
    records = [record_of(HEAD, 0.5), record_of(Cell(2, 3e-4), 0.6), record_of(Cell(0, 3e-5), 0.9)]
    asked = []
    while isinstance(step := race().next(records), Step):
        asked.append(step.request)
        cell = step.request.cell
        away = 0.0 if cell.is_solved else np.log10(cell.learning_rate / MIDDLES[cell.frozen_depth])
        best = {0: 0.9, 2: 0.6}[cell.frozen_depth]
        records.append(record_of(cell, best - 0.1 * away**2, step.request.seed))

    assert all(request.cell.frozen_depth == 0 for request in asked if request.seed == 1)
    assert len(asked) < 12


def test_a_race_is_a_function_of_the_journal_in_any_order():
    records = clear_winner()[:5]

    assert race().next(records) == race().next(records[::-1])


def test_what_runs_now_is_not_handed_out_again():
    running = race().next([])
    second = race().next([], [running.request])
    third = race().next([], [running.request, second.request])

    assert len({running.request.key, second.request.key, third.request.key}) == 3


def test_the_best_rates_of_a_method_are_learnt_apart_from_those_of_another():
    methods = {name: (("method", name),) for name in ("full", "biases")}
    rates = {Place(d, m): (1e-4, 3e-4, 1e-3) for d in (0, 2) for m in methods}
    space = SearchSpace(rates, (), (0, 1), 12, None)
    # At depth 2 the best of one is the lowest rate, of the other the highest.
    scores = {"full": (0.9, 0.8, 0.6), "biases": (0.6, 0.8, 0.9)}
    records = [
        record_of(Cell(2, rate, methods[method]), score)
        for method, of_rates in scores.items()
        for rate, score in zip((1e-4, 3e-4, 1e-3), of_rates, strict=True)
    ]
    usual = Usual(3, lambda cell: 3e-4)

    standing = standing_after(space, replace(RULES, usual=usual, widen_edges=False), records)

    # Known at depth 0 too, where nothing was tried.
    peaks = {
        method: np.median(standing.found.peak[:, standing.candidates.place[Cell(0, 3e-4, extra)]])
        for method, extra in methods.items()
    }
    assert peaks["full"] < -0.2 < 0.2 < peaks["biases"]


def test_a_race_that_ends_open_has_told_all_and_one_that_time_ends_has_not():
    level = [record_of(HEAD, 0.5)]
    for depth, best in ((2, 0.900), (0, 0.902)):
        rates = zip(RATES[Place(depth)], (0.08, 0.0, 0.08), strict=True)
        level += [record_of(Cell(depth, r), best - lost, s) for r, lost in rates for s in (0, 1)]
    rules = replace(RULES, resampled=far_apart)
    few = clear_winner()[:5]

    assert race(rules=rules).next(level) == "open"
    assert standing_after(SPACE, rules, level).has_told_all
    assert race().next(few, allows=lambda request: False) == "all tried"
    assert not standing_after(SPACE, RULES, few).has_told_all


def far_apart(trial):
    """As of examples of which each score comes from others."""
    own = np.random.default_rng(int(1e4 * trial.score)).normal(0, 0.02, 300)
    return trial.score + own


def test_only_what_there_is_time_for_is_run():
    records = clear_winner()[:3]

    step = race().next(records, allows=lambda request: request.cell.frozen_depth == 2)

    assert step.request.cell.frozen_depth == 2
    assert race().next(records, allows=lambda request: False) == "all tried"


def test_lower_is_better_where_the_score_is_an_error():
    rules = RULES.__class__(
        **{**vars(RULES), "higher_is_better": False, "resampled": lambda t: -resampled(t)}
    )
    records = [record_of(Cell(0, 3e-5), 0.2), record_of(Cell(2, 3e-4), 0.4)]

    now = standing_after(SPACE, rules, records)

    assert now.candidates.cells[now.surest] == Cell(0, 3e-5)
