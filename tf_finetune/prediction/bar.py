"""How far a prediction has come, on standard error, because answers may go to standard output."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tf_finetune.live_display import LiveDisplay

_LINE_SECONDS = 60.0  # between two lines where there is no terminal to draw a bar on


@contextmanager
def shown_progress(
    console: Console, total: int | None, first: int = 0, doing: str = "predicting"
) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, else a line a minute.

    Args:
        console: Of standard error.
        total: Number of texts; None if nobody knows, as of a pipe.
        first: Texts that an earlier call answered.
        doing: What is done.

    Yields:
        Shows how many texts are done.
    """
    bar = Progress(
        TextColumn(doing),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        disable=True,  # its display is ours
    )
    display = LiveDisplay(console, bar.get_renderable, transient=False)
    task = bar.add_task(doing, total=total, completed=first, rate="")
    started = last = time.perf_counter()

    def show(done: int) -> None:
        nonlocal last
        now = time.perf_counter()
        rate = f"{(done - first) / (now - started):,.0f} texts/s"
        bar.update(task, completed=done, rate=rate)
        if not display.is_shown and now - last >= _LINE_SECONDS:
            last = now
            of_all = "" if total is None else f" of {total:,}"
            console.print(f"{done:,}{of_all} texts, {rate}", highlight=False)

    with display:
        yield show
