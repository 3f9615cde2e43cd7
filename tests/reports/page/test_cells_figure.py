"""The figure of all cells; trials are made up by hand."""

import pytest

from tf_finetune.reports.page.cells_figure import cells_figure
from tf_finetune.reports.page.content import TrialRow


@pytest.fixture(scope="module")
def content(search_content):
    return search_content(n=200, examples=40, splits=("test",))


def texts(axes):
    return [text.get_text() for text in axes.texts]


def rows_of(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_a_cell_shows_the_mean_over_seeds_and_says_what_failed(content):
    trials = [
        TrialRow(0, 1e-4, 0, score=0.5, epochs=3),
        TrialRow(0, 1e-4, 1, score=0.7, epochs=3),
        TrialRow(0, 3e-4, 0, status="failed", reason="diverged"),
        TrialRow(0, 1e-3, 0, score=float("nan")),
    ]
    axes = cells_figure(trials, content.search, "accuracy", True).axes[0]
    assert sorted(texts(axes)) == ["0.600", "failed", "failed"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1e-4", "3e-4", "1e-3"]


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
    assert axes.get_xscale() == "log"
    assert len([line for line in axes.lines if line.get_marker() != "None"]) == 15


def test_what_was_not_tried_is_a_dot_in_a_table_and_no_mark_among_points(content):
    tried = [(0, 1e-4), (0, 3e-4), (2, 3e-4)]
    table = [TrialRow(depth, rate, 0, score=0.5) for depth, rate in tried]
    sparse = [TrialRow(depth, 1e-4 * (1 + depth), 0, score=0.5) for depth in range(4)]

    axes = cells_figure(table, content.search, "accuracy", True).axes[0]
    points = cells_figure(sparse, content.search, "accuracy", True).axes[0]

    assert texts(axes).count("·") == 1
    assert points.get_xscale() == "log"
    assert len([line for line in points.lines if line.get_marker() != "None"]) == 4


def test_the_whole_encoder_and_its_first_layers_have_rows_of_their_own(content):
    cut = {"encoder.layers": 4}
    trials = [TrialRow(4, 1e-4, 0, score=0.7), TrialRow(4, None, 0, cut, score=0.6)]

    assert rows_of(cells_figure(trials, content.search, "accuracy", True).axes[0]) == [
        "4",
        "first 4",
    ]


def test_methods_have_panels_of_their_own(content):
    trials = [
        TrialRow(4, 1e-4, 0, {"method": method}, score=score)
        for method, score in (("full", 0.7), ("biases", 0.6))
    ]

    figure = cells_figure(trials, content.search, "accuracy", True)

    biases, full = figure.axes
    assert [axes.get_title(loc="left").splitlines()[-1] for axes in figure.axes] == [
        "biases",
        "full",
    ]
    assert (rows_of(full), texts(full), texts(biases)) == (["4"], ["0.700"], ["0.600"])


def test_a_row_of_points_names_its_best_score_of_equal_ones_that_of_its_depth(content):
    best = content.search.at(4).learning_rate
    trials = [TrialRow(4, best * factor, 0, score=0.7) for factor in (0.1, 0.3, 1.0, 2.0)]
    trials += [TrialRow(2, 1e-5 * 2**i, 0, score=0.5 + i / 10) for i in range(4)]

    axes = cells_figure(trials, content.search, "accuracy", True).axes[0]

    assert texts(axes) == ["0.800", "◆ 0.700"] and content.search.recommended_place.depth == 4
    assert rows_of(axes) == ["2", "4"]


@pytest.mark.parametrize("layers", [6, 24])
def test_no_text_of_the_figure_covers_another_one(search_content, layers):
    depths = {k: (0.9 - k / 100, 5e-5 * 1.1**k, 10.0, 1000, None) for k in range(0, layers, 2)}
    size = {"n": 60, "examples": 20, "splits": ("test",), "seeds": 1}
    found = search_content(layers=layers, depths=depths, heads=True, **size)

    figure = cells_figure(found.trials, found.search, "accuracy", True)
    figure.draw_without_rendering()

    axes = figure.axes[0]
    shown = [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]
    boxes = [text.get_window_extent() for text in shown if text.get_text()]
    assert len(boxes) > 2 * layers
    assert not [1 for i, box in enumerate(boxes) for other in boxes[:i] if box.overlaps(other)]
