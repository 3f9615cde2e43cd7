import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tf_finetune.reports.figures import (
    blank_figure,
    confusion_figure,
    png_bytes,
    regression_figure,
)


def pixels(figure: Figure, tmp_path) -> np.ndarray:
    """The drawn figure, [height, width, 4]."""
    path = tmp_path / "figure.png"
    path.write_bytes(png_bytes(figure))
    return matplotlib.image.imread(path)


def cell_texts(figure: Figure) -> dict[tuple[float, float], str]:
    return {text.get_position()[::-1]: text.get_text() for text in figure.axes[0].texts}


def test_a_confusion_matrix_shows_counts_and_shares_of_the_true_class(tmp_path):
    figure = confusion_figure([[3, 1], [0, 0]], ["no", "yes"])
    axes = figure.axes[0]
    assert cell_texts(figure) == {(0, 0): "3", (0, 1): "1"}
    np.testing.assert_array_equal(axes.images[0].get_array(), [[0.75, 0.25], [0.0, 0.0]])
    assert axes.get_ylabel() == "true"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["no", "yes"]
    assert np.ptp(pixels(figure, tmp_path)[:, :, 0]) > 0.5


@pytest.mark.parametrize("num_classes", [1, 2, 30, 60])
def test_any_number_of_classes_stays_readable_or_drops_the_counts(num_classes, tmp_path):
    matrix = np.full((num_classes, num_classes), 12345)
    figure = confusion_figure(matrix, [f"class number {i}" for i in range(num_classes)])
    texts = figure.axes[0].texts
    assert len(texts) == (num_classes**2 if num_classes <= 40 else 0)
    cell_width = figure.get_figwidth() * figure.dpi / num_classes
    for text in texts[:1]:
        renderer = FigureCanvasAgg(figure).get_renderer()
        assert text.get_window_extent(renderer).width < cell_width
    height, width, _ = pixels(figure, tmp_path).shape
    assert max(height, width) < 2600


@pytest.mark.parametrize("name", ["$a_b^$", "a$", "天気", "two\nlines", "\x1b[31mred", "x" * 200])
def test_any_class_name_can_be_drawn(name, tmp_path):
    figure = confusion_figure([[1, 0], [0, 1]], [name, "other"])
    assert max(pixels(figure, tmp_path).shape) < 1200


def test_points_of_a_regression_lie_over_their_targets(tmp_path):
    figure = regression_figure(np.array([1.0, 2.0, 3.0]), np.array([1.5, np.nan, 2.5]))
    axes = figure.axes[0]
    np.testing.assert_array_equal(axes.collections[0].get_offsets(), [[1.0, 1.5], [3.0, 2.5]])
    assert axes.get_xlim() == axes.get_ylim() == pytest.approx((0.92, 3.08))
    assert np.ptp(pixels(figure, tmp_path)[:, :, 0]) > 0.5


@pytest.mark.parametrize("values", [[], [0.0], [1e17, 1e17], [np.nan]])
def test_a_regression_without_spread_can_be_drawn(values, tmp_path):
    figure = regression_figure(np.array(values), np.array(values))
    assert pixels(figure, tmp_path).shape[0] > 100


def test_drawing_does_not_touch_the_global_state_of_pyplot():
    script = (
        "import sys; from tf_finetune.reports.figures import confusion_figure, png_bytes; "
        "png_bytes(confusion_figure([[1]], ['only'])); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    # In a process of its own: other tests may have loaded pyplot in this one.
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


def test_figure_shows_itself_in_a_notebook():
    figure, _ = blank_figure(2.0, 1.0)

    assert figure._repr_png_().startswith(b"\x89PNG")
