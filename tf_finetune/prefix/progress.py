"""Shows how far the computing of states is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tf_finetune.live_display import LiveDisplay
from tf_finetune.prefix.decision import show_seconds


@contextmanager
def fill_progress(console: Console, name: str, texts: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, and one line at the end everywhere; takes the texts that are done."""
    began = time.monotonic()
    bar = Progress(
        TextColumn("Frozen layers of {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=True,  # its display is ours
    )
    with LiveDisplay(console, bar.get_renderable):
        task = bar.add_task(name, total=texts)
        yield lambda rows: bar.advance(task, rows)
    seconds = show_seconds(time.monotonic() - began)
    console.print(f"prefix cache: {texts:,} {name} texts in {seconds}", highlight=False)
