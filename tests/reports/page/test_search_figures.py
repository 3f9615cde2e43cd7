from dataclasses import replace

import pytest

from tf_finetune.reports import figures
from tf_finetune.reports.figures import png_bytes
from tf_finetune.reports.page.content import TrialRow
from tf_finetune.reports.page.curve_figures import CurveLimits, curves_figure
from tf_finetune.reports.page.search_figures import cost_figure, score_by_depth_figure
from tf_finetune.results.trial import Cell, Place


@pytest.fixture(scope="module")
def content(search_content):
    return search_content(n=200, examples=40, splits=("test",))


@pytest.fixture(scope="module")
def first_answer(search_content):
    """A search of which nothing but the heads of the first answer has ended."""
    depths = {}
    return search_content(heads=True, depths=depths, n=200, examples=40, splits=("test",))


def with_depths(answer, **columns):
    """The answer with other values, by depth, in some of its columns."""
    rows = [
        replace(row, **{name: values[i] for name, values in columns.items()})
        for i, row in enumerate(answer.depths)
    ]
    return replace(answer, depths=tuple(rows))


def front_of(answer):
    return [row.depth for row in answer.pareto_front]


def test_the_pareto_front_leaves_out_what_something_cheaper_beats(content):
    answer = with_depths(
        content.search, score=(0.9, 0.9, 0.85, 0.86), seconds_per_epoch=(9.0, 8.0, 5.0, 4.0)
    )
    assert front_of(answer) == [6, 2]
    assert front_of(replace(answer, higher_is_better=False)) == [6, 4]


def test_of_equally_dear_depths_the_better_is_on_the_front(content):
    answer = with_depths(content.search, score=(0.9, 0.8, 0.7, 0.6), seconds_per_epoch=(5.0,) * 4)
    assert front_of(answer) == [0]


@pytest.mark.parametrize("higher", [True, False])
def test_a_mark_lies_in_its_box_where_the_rule_takes_the_depth(content, higher):
    pair = content.search.comparisons[0]
    differences = zip((0.02, 0.1, 0.2), (0.03, 0.05, 0.05), strict=True)
    to_best = [replace(pair, difference=d, standard_error=error) for d, error in differences]
    score = (0.9, 0.88, 0.8, 0.7) if higher else (0.1, 0.12, 0.2, 0.3)
    answer = with_depths(content.search, score=score, to_best=(None, *to_best))
    answer = replace(answer, best_place=Place(0), higher_is_better=higher)
    axes = score_by_depth_figure(answer).axes[0]
    boxes = [box.get_paths()[0].get_extents() for box in axes.collections if box.get_paths()]
    boxes = [box for box in boxes if box.width > 0.5]
    inside = [
        box.ymin <= row.score <= box.ymax for box, row in zip(boxes, answer.depths[1:], strict=True)
    ]
    assert inside == [True, False, False]
    assert [box.height for box in boxes] == pytest.approx([0.03, 0.05, 0.05])


def test_recommended_and_best_have_marks_of_their_own(content):
    answer = replace(content.search, recommended_place=Place(4), best_place=Place(2))
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
    assert {label.get_text(): label.xy for label in axes.texts} == {
        f"{row.depth} frozen": (row.seconds_per_epoch, row.score) for row in content.search.depths
    }


def marks_of(figure):
    """Marker and filling of what stands at each place."""
    return {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0])): (
            line.get_marker(),
            line.get_markerfacecolor() == figures.PAPER,
        )
        for line in figure.axes[0].lines
        if len(line.get_xdata()) == 1 and line.get_marker() in ("o", "D", "*")
    }


@pytest.mark.parametrize("draw", [score_by_depth_figure, cost_figure])
def test_what_uses_the_first_layers_alone_is_hollow_and_keeps_its_shape(draw, first_answer):
    answer = first_answer.search
    marks = marks_of(draw(answer))

    def place(row):
        x = row.depth if draw is score_by_depth_figure else row.seconds_per_epoch
        return float(x), float(row.score)

    hollow = {row.depth for row in answer.depths if marks[place(row)][1]}
    assert hollow == {row.depth for row in answer.depths if row.cell.layers_used is not None}
    assert hollow == {1, 2, 3, 4, 5}
    assert marks[place(answer.recommended)][0] == "D"


@pytest.mark.parametrize("draw", [score_by_depth_figure, cost_figure])
def test_every_method_has_a_mark_of_its_own(draw, search_content):
    size = {"n": 60, "examples": 20, "splits": ("test",), "seeds": 1}
    answer = search_content(methods=("full", "biases"), **size).search

    axes = draw(answer).axes[0]

    points = [line for line in axes.lines if len(line.get_xdata()) == 1]
    shapes = [line.get_marker() for line in points if line.get_marker() in ("o", "s")]
    assert len(answer.depths) == 8
    assert (shapes.count("o"), shapes.count("s")) == (4, 4)
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert {"biases", "full"} <= set(names)


def test_the_axis_of_many_depths_numbers_some(first_answer):
    rows = [replace(first_answer.search.depths[0], cell=Cell(k, 1e-4)) for k in range(25)]
    answer = replace(
        first_answer.search, depths=tuple(rows), recommended_place=Place(3), best_place=Place(3)
    )

    axes = score_by_depth_figure(answer).axes[0]

    assert list(axes.get_xticks()) == list(range(0, 25, 2))


def test_cheap_depths_are_kept_apart_by_a_logarithm_where_others_cost_many_times_as_much(content):
    near = with_depths(content.search, seconds_per_epoch=(9.0, 8.0, 5.0, 4.0))
    far = with_depths(content.search, seconds_per_epoch=(90.0, 8.0, 5.0, 4.0))

    assert cost_figure(near).axes[0].get_xscale() == "linear"
    assert cost_figure(far).axes[0].get_xscale() == "log"


def test_methods_at_one_rate_have_curves_of_their_own():
    trials = [
        TrialRow(0, 1e-4, 0, {"method": method}, history=({"loss": 0.5},))
        for method in ("full", "biases")
    ]

    above = curves_figure(trials, "mcc").axes[0]

    names = [text.get_text() for text in above.get_legend().get_texts()]
    assert sorted(names) == ["lr 1e-4, biases", "lr 1e-4, full"]
    assert len({line.get_color() for line in above.lines}) == 2


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
