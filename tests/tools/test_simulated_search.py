"""Races whose truth is known: they find the best cell in a part of the time, and say how surely."""

import pytest

from tf_finetune.searches.leading.race.standing import standing_after
from tf_finetune.searches.running.trial_request import TrialRequest
from tools.benchmarks.simulated_search import Truth, grid, race

SEARCHES = 5


@pytest.fixture(scope="module")
def races():
    found = []
    for number in range(SEARCHES):
        truth = Truth(number, examples=600)
        rules = truth.rules()
        records, ending = race(truth, rules)
        now = standing_after(truth.space, rules, records)
        found.append((truth, records, ending, now))
    return found


def loss(truth, now, cell):
    return max(map(truth.score, now.candidates.cells)) - truth.score(cell)


def test_answers_of_races_are_right_about_as_often_as_they_say(races):
    right = [loss(truth, now, now.candidates.cells[now.surest]) <= 0.01 for truth, *_, now in races]
    said = [1 - now.chances[now.surest] for *_, now in races]

    assert sum(right) >= SEARCHES - 1
    assert 0.8 <= sum(said) / SEARCHES < 1.0


def test_a_race_that_ends_surely_says_at_least_the_confidence_and_repeated_its_answer(races):
    for _, _, ending, now in races:
        assert ending in ("sure", "open")
        if ending == "sure":
            assert now.chances[now.surest] <= 0.05
            assert now.observed.counts[now.observed.at == now.surest] >= 2


def test_a_race_takes_a_part_of_the_seconds_of_the_grid(races):
    spent = sum(record.wall_seconds for _, records, *_ in races for record in records)
    whole = sum(record.wall_seconds for truth, *_ in races for record in grid(truth))

    assert spent < 0.35 * whole


def test_a_race_of_methods_learns_their_rates_apart():
    methods = ("full", "biases", "norms")
    truth = Truth(207, examples=600, methods=methods)
    records, _ = race(truth, truth.rules())
    now = standing_after(truth.space, truth.rules(), records)

    assert len(truth.space.cells()) == 3 * 18 + 1
    assert loss(truth, now, now.candidates.cells[now.surest]) <= 0.01
    tried = {record.request.cell.method for record in records}
    assert tried == {None, *methods}
    # Half of what one seed of every cell takes.
    once = sum(truth.seconds(TrialRequest(cell, 0, 3)) for cell in truth.space.cells())
    assert sum(record.wall_seconds for record in records) < 0.5 * once


def test_a_race_begins_where_trials_are_cheap_and_says_why_each_was_run(races):
    for _, records, *_ in races:
        assert [r.request.cell.frozen_depth for r in records[:2]] == [6, 5]
        assert all(record.why for record in records)


def test_the_first_trial_of_an_expensive_depth_is_near_its_best_rate(races):
    for truth, records, *_ in races:
        first = next((r for r in records if r.request.cell.frozen_depth == 0), None)
        if first is not None:
            rates = [cell for cell in truth.space.cells() if cell.frozen_depth == 0]
            ranked = sorted(rates, key=truth.score, reverse=True)
            assert truth.score(first.request.cell) >= truth.score(ranked[1])
