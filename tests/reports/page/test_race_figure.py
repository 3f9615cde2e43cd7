"""The race on a page: its picture and its table; trials are made up by hand."""

from dataclasses import replace

import pytest

from tf_finetune.reports.page.content import TrialRow, Turn
from tf_finetune.reports.page.drawing import search_drawings
from tf_finetune.reports.page.race_figure import race_figure
from tf_finetune.reports.page.race_steps import Kind, race_steps
from tf_finetune.reports.page.race_table import race_table
from tf_finetune.reports.page.writing import render_page
from tf_finetune.results.trial import Place


@pytest.fixture(scope="module")
def content(search_content):
    return search_content(n=60, examples=20, splits=("test",), factors=(1.0,), seeds=1)


def row(number, depth, rate, seed=0, *, stage="race", chance=None, score=0.8, used=None):
    extra = {} if used is None else {"encoder.layers": used}
    turn = Turn(number, stage, 10.0, f"reason {number}", chance)
    status = "failed" if score is None else "completed"
    return TrialRow(depth, rate, seed, extra, status=status, score=score, turn=turn)


def a_race(recommended_rate=3e-4):
    return [
        row(1, 2, None, stage="first", used=2),
        row(2, 6, None, stage="first"),
        row(3, 5, 1e-3),
        row(4, 5, 3e-3, chance=0.2),
        row(5, 2, 1e-4, chance=0.35),
        row(6, 4, recommended_rate, chance=0.5),
        row(7, 0, 1e-2, chance=0.6, score=None),
        row(8, 4, recommended_rate, 1, chance=0.9),
    ]


def points_of(axes, marker):
    return [
        (float(x), float(y))
        for line in axes.lines
        if line.get_marker() == marker
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    ]


def test_methods_have_lines_of_their_own(content):
    trials = [
        TrialRow(4, 1e-3, 0, {"method": method}, score=0.8, turn=Turn(n, "race", 1.0))
        for n, method in enumerate(("full", "biases", "full"), 1)
    ]
    results = [replace(content.search.depths[0], cell=trial.cell) for trial in trials[:2]]
    answer = replace(
        content.search,
        depths=tuple(results),
        recommended_place=results[0].place,
        best_place=results[0].place,
    )

    axes = race_figure(race_steps(trials), answer).axes[0]

    assert [label.get_text() for label in axes.get_yticklabels()] == ["4, biases", "4, full"]


def test_steps_say_what_each_trial_added_and_when_it_began():
    steps = race_steps(a_race()[::-1])

    assert [step.number for step in steps] == [0, 0, 1, 2, 3, 4, 5, 6]
    assert [step.began for step in steps] == [10.0 * place for place in range(8)]
    assert [step.kind for step in steps] == [
        *(Kind.SOLVED, Kind.SOLVED, Kind.NEW_DEPTH, Kind.OTHER_CELL),
        # Its first layers alone are not that depth of the whole encoder.
        *(Kind.NEW_DEPTH, Kind.NEW_DEPTH, Kind.FAILED, Kind.OTHER_SEED),
    ]


def test_a_search_without_a_race_has_neither_picture_nor_table(content):
    grid = [row(1, 5, 1e-3, stage="explore"), row(2, 5, 1e-3, 1, stage="repeat")]

    assert race_steps(grid) == [] == race_steps(content.trials)
    assert race_table(replace(content, trials=tuple(grid))) is None
    assert "race" not in [drawn.name for drawn in search_drawings(content)]


def test_marks_stand_at_the_number_and_the_depth_of_their_trial(content):
    answer = replace(content.search, recommended_place=Place(4))
    above, _ = race_figure(race_steps(a_race(answer.recommended.learning_rate)), answer).axes

    assert points_of(above, "s") == [(0, 2), (0, 6)]
    assert points_of(above, "^") == [(1, 5), (3, 2), (4, 4)]
    assert points_of(above, "o") == [(2, 5)]
    assert points_of(above, "x") == [(5, 0)]
    assert points_of(above, "P") == [(6, 4)]
    assert points_of(above, "D") == [(4, 4), (6, 4)]


def test_chances_stand_after_the_trials_that_they_are_known_from_and_end_with_the_answers(content):
    answer = replace(content.search, chance_right=0.96)
    _, below = race_figure(race_steps(a_race()), answer, 0.95).axes

    assert list(zip(*below.lines[0].get_data(), strict=True)) == [
        *((1, 0.2), (2, 0.35), (3, 0.5), (4, 0.6), (5, 0.9)),
        (6, 0.96),
    ]
    assert points_of(below, "D") == [(6, 0.96)]
    assert below.get_xticklabels()[0].get_text() == "first answer\n0:20"


def test_a_race_that_kept_no_chances_has_no_panel_for_them(content):
    trials = [replace(one, turn=replace(one.turn, chance_right=None)) for one in a_race()]

    assert len(race_figure(race_steps(trials), content.search).axes) == 1


@pytest.mark.parametrize("trials", [1, 3, 60])
def test_no_names_of_a_race_of_any_length_cover_each_other(content, trials):
    rows = [row(i, i % 13, 1e-4 * 1.1 ** (i % 7), i // 13) for i in range(1, trials + 1)]
    figure = race_figure(race_steps(rows), content.search)
    figure.draw_without_rendering()

    (axes,) = figure.axes
    shown = [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]
    boxes = [text.get_window_extent() for text in shown if text.get_text()]
    assert not [1 for i, box in enumerate(boxes) for other in boxes[:i] if box.overlaps(other)]


def test_the_table_has_the_trials_in_their_order_with_the_reasons(content):
    rate = content.search.recommended.learning_rate
    table = race_table(replace(content, trials=tuple(a_race(rate)[::-1])))
    rows = [dict(zip(table.columns, cells, strict=True)) for cells in table.rows]

    assert [one["trial"] for one in rows] == ["first answer", *"123456"]
    assert rows[0]["why"].startswith("2 heads, each solved exactly")
    assert rows[0]["took"] == "20 s" == rows[1]["began after"]
    assert [one["why"] for one in rows[1:]] == [f"reason {number}" for number in range(3, 9)]
    assert [one["right with"] for one in rows[1:4]] == ["–", "20 %", "35 %"]
    assert rows[5]["accuracy"] == "failed"
    assert table.emphasized == {4, 6}


def test_trials_of_a_grid_that_a_race_goes_on_from_are_told_by_their_stage(content):
    grid = replace(row(1, 5, 1e-3, stage="explore"), turn=Turn(1, "explore", 5.0))
    table = race_table(replace(content, trials=(grid, row(2, 4, 3e-4))))

    assert [cells[-1] for cells in table.rows] == ["what its oracle tried", "reason 2"]


def test_a_page_shows_picture_and_table(content):
    text = render_page(replace(content, trials=tuple(a_race()), asked_chance=0.95))

    assert 'href="#race"' in text and 'id="race"' in text
    assert "What was run when and why" in text and "reason 8" in text
    assert "the 95% at which a race ends" in text
