"""The figure of a preflight: memory and estimated step time over the frozen depth."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from tf_finetune.preflight.cells import ChipCell, devices_of_chip
from tf_finetune.preflight.estimates import device_limit, estimate_step
from tf_finetune.reports import figures

_GIB = 2**30
_COLORS = (figures.BLUE, figures.VERMILLION, figures.GREEN, figures.ORANGE, figures.PURPLE)
_MARKERS = "osD^v"


def preflight_figure(cells: Sequence[ChipCell], length: int) -> Figure:
    """Draws a row of two panels a chip, a line a batch size.

    Args:
        cells: All cells; those that do not fit are left out, and a line breaks there.
        length: Tokens of a row.
    """
    chips = list(dict.fromkeys(cell.chip for cell in cells))
    figure = Figure(figsize=(2 * figures.WIDTH, 2.9 * len(chips)), layout="constrained")
    rows = figure.subplots(len(chips), 2, squeeze=False)
    for chip, (memory, time) in zip(chips, rows, strict=True):
        of_chip = [cell for cell in cells if cell.chip == chip]
        limit = device_limit(chip, devices_of_chip(of_chip))
        _lines(memory, of_chip, lambda cell: cell.answer.device_bytes / _GIB)
        memory.axhline(limit / _GIB, color=figures.INK, linewidth=1.0, linestyle="--")
        memory.set_ylabel("memory of a device, GiB")
        memory.set_title(f"{chip.name}, dashed: all there is", fontsize=figures.TEXT_SIZE)
        _lines(time, of_chip, lambda cell: 1000 * estimate_step(cell.answer, cell.chip).seconds)
        time.set_ylabel("step, ms (roofline estimate)")
        time.set_title(f"{chip.name}, {length} tokens a row", fontsize=figures.TEXT_SIZE)
        time.legend(title="batch", frameon=False, fontsize=figures.SMALL_TEXT)
        for axes in (memory, time):
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(ScalarFormatter())
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.set_xlabel("frozen layers")
            axes.set_xticks(sorted({cell.depth for cell in of_chip}))
            figures.plain_axes(axes)
            figures.add_grid(axes)
    return figure


def _lines(axes: Axes, cells: Sequence[ChipCell], value: Callable[[ChipCell], float]) -> None:
    for index, batch_size in enumerate(dict.fromkeys(cell.batch_size for cell in cells)):
        line = [cell for cell in cells if cell.batch_size == batch_size]
        axes.plot(
            [cell.depth for cell in line],
            [value(cell) if cell.answer.compiles else float("nan") for cell in line],
            color=_COLORS[index % len(_COLORS)],
            marker=_MARKERS[index % len(_MARKERS)],
            label=f"{batch_size:,}",
        )
