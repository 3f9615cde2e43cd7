"""How every call from Python begins: where progress is shown, and what Ctrl-C does."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from tf_finetune.api.notebook import NotebookConsole, in_notebook
from tf_finetune.machine import environment, interruption


class _OneModelAfterAnother(logging.Filter):
    """Leaves out warnings of functions that are traced again: each model has its own."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a message is told."""
        return "tf.function retracing" not in record.getMessage()


@contextmanager
def called(progress: bool) -> Iterator[Console]:
    """A region in which the program works for a caller.

    Args:
        progress: Whether it tells what it does: in a notebook one bar over the lines, elsewhere
            as the commands do.

    Yields:
        Where to tell it.

    Raises:
        UserError: Libraries were installed anew after they had been imported.
    """
    environment.check_imported()
    with interruption.raised(), _filtered(logging.getLogger("tensorflow")):
        if not progress:
            yield Console(quiet=True)
        elif in_notebook():
            console = NotebookConsole()
            console.open()
            try:
                yield console
            finally:
                console.close()
        else:
            yield Console(file=sys.stdout)


@contextmanager
def _filtered(logger: logging.Logger) -> Iterator[None]:
    no_traces = _OneModelAfterAnother()
    logger.addFilter(no_traces)
    try:
        yield
    finally:
        logger.removeFilter(no_traces)
