"""What a search tries, in which order, and when it stops; trials are a formula here."""

import collections
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import scipy.optimize

from tf_finetune.methods.lora import Lora
from tf_finetune.methods.settings import setting_text
from tf_finetune.results.trial import Cell, Place
from tf_finetune.searches.leading import trial_times
from tf_finetune.searches.leading.exploration import Bayesian
from tf_finetune.searches.leading.rates import RateRange
from tf_finetune.searches.leading.space import SearchSpace
from tf_finetune.searches.running.trial_request import TrialRequest

sys.path.insert(0, str(Path(__file__).parent))
from search_by_formula import (
    GRID,
    RANGES,
    SPACES,
    FormulaSearch,
    make_space,
    score_of,
)

pytestmark = pytest.mark.long

LORA = setting_text(Lora(rank=4))
STAGED = ["grid", "random", "bayesian", "hyperband"]
ORACLES = ["race", *STAGED]


@pytest.fixture(autouse=True)
def coarse_optimisation(monkeypatch):
    """KerasTuner climbs to the best of a surface over one rate from 50 places, to ten digits.

    Rates are written with two: the places themselves, and a step from each, are as good.
    """
    minimize, make = scipy.optimize.minimize, Bayesian._make_gpr

    def one_step(function, **arguments):
        return minimize(function, **arguments, options={"maxiter": 1, "maxls": 5})

    def fitted_twice(self):
        return make(self).set_params(n_restarts_optimizer=1)

    scipy_there = SimpleNamespace(optimize=SimpleNamespace(minimize=one_step))
    monkeypatch.setattr("keras_tuner.src.tuners.bayesian.scipy", scipy_there)
    monkeypatch.setattr(Bayesian, "_make_gpr", fitted_twice)


def cells_of(search):
    return [request_of(key) for key in search.table]


def request_of(key):
    return key.rsplit(" seed=", 1)[0]


def test_a_grid_tries_every_cell_with_every_seed_first_seed_deepest_and_middle_rate_first(tmp_path):
    search = FormulaSearch(tmp_path, "grid").run()

    expected = [
        TrialRequest(Cell(depth, rate), seed, 3).key
        for seed, order in ((0, (1, 0, 2)), (1, (0, 1, 2)))
        for depth in (4, 2, 0)
        for rate in (GRID[depth][at] for at in order)
    ]
    assert search.ran == expected


@pytest.mark.parametrize("oracle", ORACLES)
def test_no_cell_is_tried_twice_with_one_seed(tmp_path, oracle):
    search = FormulaSearch(tmp_path, oracle, SPACES[oracle]).run()

    assert len(search.ran) == len(set(search.ran))
    assert set(search.ran) == set(search.table)


def test_a_race_keeps_in_the_journal_why_it_ran_each_trial_and_how_sure_it_was(tmp_path):
    FormulaSearch(tmp_path, "race").run()

    records = list(FormulaSearch(tmp_path, "race").journal.records.values())
    assert all(record.why for record in records)
    assert [record.chance_right for record in records[:1]] == [None]
    assert all(0.0 < record.chance_right < 1.0 for record in records[1:])


@pytest.mark.parametrize("oracle", ["random", "bayesian"])
def test_a_small_list_of_rates_is_exhausted_without_repetition(tmp_path, oracle):
    search = FormulaSearch(tmp_path, oracle, make_space(max_cells=50, seeds=(0,))).run()

    assert sorted(request_of(key) for key in search.ran) == sorted(
        cell.key for cell in make_space().cells()
    )


@pytest.mark.parametrize("oracle", ["random", "bayesian"])
def test_as_many_cells_are_explored_as_there_is_room_for(tmp_path, oracle):
    space = make_space(RANGES, max_cells=8, max_trials=16)

    search = FormulaSearch(tmp_path, oracle, space).run()

    assert len(search.ran) == 16
    assert set(collections.Counter(map(request_of, search.ran)).values()) == {2}


def test_bayesian_search_comes_back_to_where_scores_are_good(tmp_path):
    space = make_space(RANGES, max_cells=11, seeds=(0,))

    search = FormulaSearch(tmp_path, "bayesian", space, widen_edges=False).run()

    drawn, led = list(search.table.values())[:6], list(search.table.values())[6:]
    assert sum(led) / len(led) > sum(drawn) / len(drawn)


def test_hyperband_trains_few_cells_for_all_epochs_but_one_at_every_depth(tmp_path):
    space = make_space(RANGES, max_cells=15, seeds=(0,))

    search = FormulaSearch(tmp_path, "hyperband", space, widen_edges=False).run()

    by_epochs = collections.Counter(key.rsplit("=", 1)[1] for key in search.ran)
    assert by_epochs["1"] == 9
    full = [key for key in search.ran if key.endswith("epochs=3")]
    assert {key.split()[0] for key in full} == {key.split()[0] for key in search.ran}


@pytest.mark.parametrize("oracle", ORACLES)
def test_a_search_that_is_ended_anywhere_goes_on_to_the_same_table(tmp_path, oracle):
    whole = FormulaSearch(tmp_path / "whole", oracle, SPACES[oracle]).run()

    class Ended(BaseException):
        pass

    def score_or_end(request, ran, ended_at):
        if len(ran) > ended_at:
            raise Ended
        return score_of(request)

    for ended_at in (1, len(whole.ran) // 2):
        folder = tmp_path / f"ended{ended_at}"

        part = FormulaSearch(folder, oracle, SPACES[oracle])
        part.score = lambda request, ran=part.ran, at=ended_at: score_or_end(request, ran, at)
        with pytest.raises(Ended):
            part.run()
        rest = FormulaSearch(folder, oracle, SPACES[oracle]).run()
        assert rest.table == whole.table
        assert len(part.ran) - 1 + len(rest.ran) == len(whole.ran)


def space_of_methods(oracle):
    """Two depths by two methods, of which one has options and wants tenfold rates; and a head."""
    lists = oracle in ("race", "grid")
    of_full = {d: GRID[d] if lists else RANGES[d] for d in (2, 4)}
    rates = {Place(d, "full"): of_depth for d, of_depth in of_full.items()}
    rates |= {
        Place(d, LORA): (
            tuple(10 * rate for rate in GRID[d])
            if lists
            else RateRange(10 * RANGES[d].low, 10 * RANGES[d].high)
        )
        for d in (2, 4)
    }
    space = SearchSpace(rates | {Place(5): ()}, (), (0, 1), 0, None)
    return replace(space, max_cells=len(space.cells()) if lists else 8)


def score_by_method(request):
    cell = request.cell
    if cell.is_solved:
        return 0.5
    factor = 10.0 if cell.method == LORA else 1.0
    return score_of(replace(request, cell=Cell(cell.frozen_depth, cell.learning_rate / factor)))


@pytest.mark.parametrize("oracle", ORACLES)
def test_every_oracle_tries_methods_at_their_own_rates_and_goes_on_where_it_was_ended(
    tmp_path, oracle
):
    space = space_of_methods(oracle)
    whole = FormulaSearch(tmp_path / "whole", oracle, space, score=score_by_method).run()

    class Ended(BaseException):
        pass

    def end_at_fifth(request):
        if len(part.ran) > 5:
            raise Ended
        return score_by_method(request)

    part = FormulaSearch(tmp_path / "part", oracle, space, score=end_at_fifth)
    with pytest.raises(Ended):
        part.run()
    rest = FormulaSearch(tmp_path / "part", oracle, space, score=score_by_method).run()

    cells = [record.request.cell for record in whole.journal.records.values()]
    assert rest.table == whole.table
    assert len(whole.ran) == len(set(whole.ran))
    assert {cell.method for cell in cells} >= {"full", LORA}
    low = {"full": 1e-5, LORA: 1e-4}  # with two rates beyond the lowest one
    assert all(cell.is_solved or cell.learning_rate >= low[cell.method] for cell in cells)
    assert {cell.method for cell in cells if cell.is_solved} <= {None}


def test_a_finished_search_goes_on_with_more_seeds(tmp_path):
    FormulaSearch(tmp_path, "grid", make_space(seeds=(0, 1))).run()

    more = FormulaSearch(tmp_path, "grid", make_space(seeds=(0, 1, 2))).run()

    assert [key.split()[2] for key in more.ran] == ["seed=2"] * 9


def test_failed_trial_is_recorded_with_its_reason_and_not_repeated_with_other_seeds(tmp_path):
    def score(request):
        if request.cell == Cell(0, 1e-4):
            return "the loss became nan in epoch 1"
        return score_of(request)

    search = FormulaSearch(tmp_path, "grid", score=score).run()

    assert len(search.ran) == 9 + 8
    failed = [key for key, value in search.table.items() if isinstance(value, str)]
    assert failed == [TrialRequest(Cell(0, 1e-4), 0, 3).key]
    again = FormulaSearch(tmp_path, "grid", score=score).run()
    assert again.ran == []


@pytest.mark.parametrize("oracle", ORACLES)
def test_a_search_in_which_every_trial_fails_ends(tmp_path, oracle):
    search = FormulaSearch(tmp_path, oracle, SPACES[oracle], score=lambda request: "no").run()

    assert set(search.table.values()) == {"no"}


def test_error_that_is_no_trials_failure_ends_the_search(tmp_path):
    def score(request):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        FormulaSearch(tmp_path, "grid", score=score).run()


def rising(request):
    return request.cell.learning_rate


def test_best_rate_at_an_edge_is_widened_twice_by_the_last_step(tmp_path):
    space = make_space({2: (1e-4, 3e-4, 1e-3)}, seeds=(0,))

    search = FormulaSearch(tmp_path, "grid", space, score=rising).run()

    rates = [record.request.cell.learning_rate for record in search.journal.records.values()]
    assert rates == [3e-4, 1e-4, 1e-3, 3.3e-3, 1.1e-2]
    stages = [record.stage for record in search.journal.records.values()]
    assert stages == ["explore"] * 3 + ["widen"] * 2


def test_widened_rate_gets_every_seed(tmp_path):
    space = make_space({2: (1e-4, 1e-3)}, seeds=(0, 1))

    search = FormulaSearch(tmp_path, "grid", space, score=lambda r: -rising(r)).run()

    seeds = collections.Counter(map(request_of, search.ran))
    assert seeds == {Cell(2, rate).key: 2 for rate in (1e-6, 1e-5, 1e-4, 1e-3)}


@pytest.mark.parametrize(
    ("space", "score"),
    [
        (make_space({2: (1e-3,)}, seeds=(0,)), rising),
        (make_space({2: (1e-4, 1e-3)}, seeds=(0,)), lambda request: 0.5),
        (make_space({2: (1e-4, 3e-4, 1e-3)}, seeds=(0,)), score_of),
        (make_space({2: (1e-4, 1e-3)}, seeds=(0,), max_trials=2), rising),
        (
            make_space({2: (1e-4, 3e-4, 1e-3)}, seeds=(0,)),
            lambda request: "nan" if request.cell.learning_rate == 1e-3 else rising(request),
        ),
    ],
    ids=["one rate", "all equal", "best inside", "no room", "failed beyond"],
)
def test_nothing_is_widened_without_reason(tmp_path, space, score):
    search = FormulaSearch(tmp_path, "grid", space, score=score).run()

    assert len(search.ran) == len(space.cells())


def test_range_is_widened_where_the_best_drawn_rate_is_near_its_end(tmp_path):
    space = make_space({2: RANGES[2]}, max_cells=12, seeds=(0,))

    search = FormulaSearch(tmp_path, "random", space, score=rising).run()

    widened = [r for r in search.journal.records.values() if r.stage == "widen"]
    first, second = (r.request.cell.learning_rate for r in widened)
    # A step of the range is half a decade, and rates are written with two digits.
    assert first == pytest.approx(10**0.5 * 1e-3, rel=0.03)
    assert second == pytest.approx(10**0.5 * first, rel=0.03)


def test_no_trial_begins_that_would_overrun_the_time_budget(tmp_path, clock):
    search = timed_search(tmp_path, clock, 6.5, "grid").run()

    assert clock.now == len(search.ran) == 6
    assert search.schedule.is_done


def test_depth_that_was_not_tried_is_estimated_by_its_work(tmp_path):
    search = FormulaSearch(tmp_path, "grid", make_space({4: (1e-3,)}, seeds=(0,))).run()

    tried, other = (TrialRequest(Cell(depth, 1e-3), 0, 3) for depth in (4, 0))
    # The formula says work 10 - depth, and every trial takes a second.
    assert search.times.estimate(tried) == 1.0
    assert search.times.estimate(other) == pytest.approx(10 / 6)


def test_cheap_trials_still_run_when_there_is_no_time_for_expensive_ones(tmp_path):
    search = FormulaSearch(
        tmp_path, "grid", make_space(seeds=(0, 1)), widen_edges=False, budget=3600
    )
    # One trial of depth 4 is known to take 10 minutes, which makes one of depth 0 take 17.
    search.times.calibrate(TrialRequest(Cell(4, 3e-4), 0, 3), 250.0)
    search.schedule._budget.seconds = 16 * 60

    search.run()

    # Each takes no time in truth, so the estimates come down after the first.
    assert search.ran[0].startswith("depth=4")
    assert len(search.ran) == 18


def test_what_has_no_time_is_skipped_and_said(tmp_path):
    search = FormulaSearch(tmp_path, "grid", budget=100.0)
    search.times.calibrate(TrialRequest(Cell(4, 3e-4), 0, 3), 1000.0)

    search.run()

    assert search.ran == []
    assert len(search.schedule.skipped) == 9
    # The second seed would have followed.
    assert search.schedule.not_run.total == 18


class Clock:
    """Stands for `time` in `trial_times`: it moves when it is told to."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(trial_times, "time", clock)
    return clock


def timed_search(folder, clock, budget, *arguments, seconds=1.0, **options):
    """A search whose every trial takes `seconds` by the clock; the budget begins now."""

    def score(request):
        clock.now += seconds
        return score_of(request)

    search = FormulaSearch(folder, *arguments, score=score, budget=budget, **options)
    search.schedule._budget.started = clock.now
    return search


@pytest.mark.parametrize("trials", [1, 9, 10, 17, 18])
def test_whatever_the_budget_left_out_is_counted(tmp_path, clock, trials):
    # The clock stands in the middle of a trial that would not end in time.
    search = timed_search(tmp_path, clock, trials + 0.5, "grid", widen_edges=False).run()

    assert len(search.ran) == trials
    assert search.schedule.not_run.total == 18 - trials
    known = {request.key for request in search.schedule.not_run.known}
    assert len(known) == 18 - trials
    assert not known & set(search.ran)


def test_a_spent_budget_is_still_spent_and_counted_by_the_next_process(tmp_path, clock):
    timed_search(tmp_path, clock, 5.5, "grid", widen_edges=False).run()

    again = timed_search(tmp_path, clock, 5.5, "grid", widen_edges=False)
    again.schedule._budget.spent_before = 5.5
    again.run()

    assert again.ran == []
    assert again.schedule.not_run.total == 13


def test_other_seeds_of_a_failed_cell_were_never_planned(tmp_path, clock):
    def score(request):
        clock.now += 1.0
        return "nan" if request.cell == Cell(4, 1e-3) else score_of(request)

    search = timed_search(tmp_path, clock, 9.5, "grid", widen_edges=False)
    search.score = score
    search.run()

    assert search.schedule.not_run.total == 18 - 9 - 1


def test_cells_that_an_oracle_did_not_draw_are_counted_but_not_named(tmp_path, clock):
    space = make_space(RANGES, max_cells=8)
    search = timed_search(tmp_path, clock, 3.5, "random", space, widen_edges=False).run()

    assert len(search.ran) == 3
    assert search.schedule.not_run.total == 8 * 2 - 3
    drawn = {request_of(key) for key in search.ran} | {
        request.cell.key for request in search.schedule.skipped
    }
    assert {request.cell.key for request in search.schedule.not_run.known} <= drawn


def test_nothing_is_left_out_where_there_is_no_budget_or_enough(tmp_path, clock):
    assert FormulaSearch(tmp_path / "none", "grid").run().schedule.not_run.total == 0
    for oracle in ("grid", "random", "hyperband"):
        search = timed_search(tmp_path / oracle, clock, 1000.0, oracle, SPACES[oracle]).run()
        assert search.schedule.not_run == (0, ())


def test_most_trials_bound_what_a_budget_left_out(tmp_path, clock):
    space = make_space(RANGES, max_cells=8, max_trials=10, seeds=(0,))
    search = timed_search(tmp_path, clock, 3.5, "random", space, widen_edges=False).run()

    assert search.schedule.not_run.total == 8 - 3


def test_time_left_is_never_more_than_the_budget_leaves(tmp_path, clock):
    search = timed_search(tmp_path, clock, 5.5, "grid", widen_edges=False)
    search.times.calibrate(TrialRequest(Cell(4, 1e-3), 0, 3), 1 / 3)
    shown = []
    run = search.score

    def score(request):
        shown.append((search.schedule.seconds_left(), search.schedule._budget.left))
        return run(request)

    search.score = score
    search.run()

    assert len(shown) == 5
    assert all(0.0 <= seconds <= left for seconds, left in shown)
    free = FormulaSearch(tmp_path, "grid", widen_edges=False)
    assert free.schedule.seconds_left() > 5.5


def test_expected_total_counts_every_seed_and_the_time_left_falls(tmp_path):
    search = FormulaSearch(tmp_path, "grid", widen_edges=False)
    assert search.schedule.expected_total == 18
    assert search.schedule.seconds_left() is None

    search.run()

    assert search.schedule.expected_total == 18
    assert search.schedule.seconds_left() == 0


def with_solved_head(request):
    return 0.5 if request.cell.is_solved else score_of(request)


@pytest.mark.parametrize("oracle", STAGED)
def test_a_head_that_is_solved_is_tried_once_and_for_no_other_seed_or_rate(tmp_path, oracle):
    rates = dict(GRID) | {6: ()}
    space = make_space(rates, max_cells=6)

    search = FormulaSearch(tmp_path, oracle, space, score=with_solved_head).run()

    of_head = [key for key in search.ran if "depth=6" in key]
    # Hyperband need not come upon it among the few that it draws.
    assert of_head == ["depth=6 solver=exact seed=0 epochs=3"] or oracle == "hyperband"
    assert len(of_head) <= 1
    assert any("seed=1" in key for key in search.ran)
    assert search.schedule.expected_total == len(search.ran)


def test_repeated_proposals_of_a_solved_head_give_way_to_other_cells(tmp_path):
    rates = {4: RANGES[4], 6: ()}
    space = make_space(rates, seeds=(0,), max_cells=5)

    search = FormulaSearch(
        tmp_path, "random", space, score=with_solved_head, widen_edges=False
    ).run()

    assert len(search.ran) == 5
