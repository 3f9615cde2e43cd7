from dataclasses import replace

import pytest

from tf_finetune.reports.figures import png_bytes
from tf_finetune.reports.page.content import TrialRow
from tf_finetune.reports.page.curve_figures import CurveLimits, curves_figure
from tf_finetune.reports.page.search_figures import cells_figure, cost_figure, score_by_depth_figure


@pytest.fixture(scope="module")
def content(search_content):
    return search_content(n=200, examples=40, splits=("test",))


def texts(axes):
    return [text.get_text() for text in axes.texts]


def with_depths(answer, **columns):
    """The answer with other values, by depth, in some of its columns."""
    rows = [
        replace(row, **{name: values[i] for name, values in columns.items()})
        for i, row in enumerate(answer.depths)
    ]
    return replace(answer, depths=tuple(rows))


def test_the_pareto_front_leaves_out_what_something_cheaper_beats(content):
    answer = with_depths(
        content.search, score=(0.9, 0.9, 0.85, 0.86), seconds_per_epoch=(9.0, 8.0, 5.0, 4.0)
    )
    assert answer.pareto_depths == (6, 2)
    assert replace(answer, higher_is_better=False).pareto_depths == (6, 4)


def test_of_equally_dear_depths_the_better_is_on_the_front(content):
    answer = with_depths(content.search, score=(0.9, 0.8, 0.7, 0.6), seconds_per_epoch=(5.0,) * 4)
    assert answer.pareto_depths == (0,)


@pytest.mark.parametrize("higher", [True, False])
def test_a_mark_lies_in_its_box_where_the_rule_takes_the_depth(content, higher):
    pair = content.search.comparisons[0]
    differences = zip((0.02, 0.1, 0.2), (0.03, 0.05, 0.05), strict=True)
    to_best = [replace(pair, difference=d, standard_error=error) for d, error in differences]
    score = (0.9, 0.88, 0.8, 0.7) if higher else (0.1, 0.12, 0.2, 0.3)
    answer = with_depths(content.search, score=score, to_best=(None, *to_best))
    answer = replace(answer, best_depth=0, higher_is_better=higher)
    axes = score_by_depth_figure(answer).axes[0]
    boxes = [box.get_paths()[0].get_extents() for box in axes.collections if box.get_paths()]
    boxes = [box for box in boxes if box.width > 0.5]
    inside = [
        box.ymin <= row.score <= box.ymax for box, row in zip(boxes, answer.depths[1:], strict=True)
    ]
    assert inside == [True, False, False]
    assert [box.height for box in boxes] == pytest.approx([0.03, 0.05, 0.05])


def test_recommended_and_best_have_marks_of_their_own(content):
    answer = replace(content.search, recommended_depth=4, best_depth=2)
    axes = score_by_depth_figure(answer).axes[0]
    marks = {
        tuple(line.get_xdata()): line.get_marker()
        for line in axes.lines
        if line.get_marker() != "_"  # the ends of the error bars
    }
    assert (marks[4,], marks[2,], marks[0,]) == ("D", "*", "o")
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert {"recommended", "best score", "95 % interval"} <= set(legend)


def test_each_depth_stands_at_its_cost(content):
    axes = cost_figure(content.search).axes[0]
    assert texts(axes) == ["0 frozen", "2 frozen", "4 frozen", "6 frozen"]
    assert [label.xy for label in axes.texts] == [
        (row.seconds_per_epoch, row.score) for row in content.search.depths
    ]


def test_a_cell_shows_the_mean_over_seeds_and_says_what_failed(content):
    trials = [
        TrialRow(0, 1e-4, 0, score=0.5, epochs=3),
        TrialRow(0, 1e-4, 1, score=0.7, epochs=3),
        TrialRow(0, 3e-4, 0, status="failed", reason="diverged"),
        TrialRow(0, 1e-3, 0, score=float("nan")),
    ]
    axes = cells_figure(trials, content.search, "accuracy", True).axes[0]
    assert sorted(texts(axes)) == ["0.600", "failed", "failed"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1e-4", "3e-4", "1e-3"]


def test_of_trials_of_a_cell_and_seed_the_longest_counts(content):
    trials = [TrialRow(0, 1e-4, 0, score=score, epochs=n) for score, n in ((0.8, 3), (0.6, 1))]
    assert texts(cells_figure(trials, content.search, "accuracy", True).axes[0]) == ["0.800"]


@pytest.mark.parametrize("higher, shown", [(True, "0.700"), (False, "0.500")])
def test_of_further_options_the_best_is_shown(content, higher, shown):
    trials = [
        TrialRow(0, 1e-4, 0, {"training.batch_size": size}, score=score)
        for size, score in ((16, 0.5), (32, 0.7))
    ]
    assert texts(cells_figure(trials, content.search, "accuracy", higher).axes[0]) == [shown]


def test_many_learning_rates_become_points(content):
    trials = [TrialRow(0, 1e-5 * 1.3**i, 0, score=0.5 + i / 100) for i in range(15)]
    axes = cells_figure(trials, content.search, "accuracy", True).axes[0]
    assert axes.get_yscale() == "log"
    assert len([line for line in axes.lines if line.get_marker() != "None"]) == 15


def test_curves_leave_out_what_is_missing_and_keep_the_scale_of_the_useful():
    usual = TrialRow(0, 1e-4, 0, history=({"loss": 0.5, "val_mcc": 0.1}, {"loss": 0.4}))
    wild = TrialRow(0, 1.0, 0, history=({"loss": 1e9}, {"loss": None}))
    others = [replace(usual, seed=seed) for seed in range(1, 12)]
    trials = [usual, *others, wild]
    figure = curves_figure(trials, "mcc", [usual], "title", CurveLimits(trials, "mcc"))
    above, below = figure.axes
    assert above.get_ylim()[1] < 2.0
    assert [len(line.get_xdata()) for line in above.lines] == [2] * 12 + [1]
    assert [len(line.get_xdata()) for line in below.lines] == [1] * 12 + [0]
    widths = [line.get_linewidth() for line in above.lines]
    assert widths[0] > widths[1] == widths[2]
    assert len(png_bytes(figure)) > 1000


@pytest.mark.parametrize("rates", [1, 4, 6, 12])
def test_legend_of_curves_leaves_their_title_readable(rates):
    trials = [
        TrialRow(0, 1e-5 * 2**i, 0, history=({"loss": 0.5, "val_mcc": 0.1},)) for i in range(rates)
    ]
    figure = curves_figure(trials, "mcc", title="0 of 6 layers frozen")
    figure.draw_without_rendering()
    above = figure.axes[0]
    title = next(t for t in (above._left_title, above.title) if t.get_text())
    assert not title.get_window_extent().overlaps(above.get_legend().get_window_extent())
