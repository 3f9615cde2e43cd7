"""How every call from Python begins: where progress is shown, and what Ctrl-C does."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from tf_finetune.api.notebook import NotebookConsole, in_notebook
from tf_finetune.machine import environment, interruption


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
    with interruption.raised():
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
