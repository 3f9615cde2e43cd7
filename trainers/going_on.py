"""What an interrupted command says about going on."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from tf_finetune.errors import visible
from tf_finetune.invocation import command_line
from tf_finetune.storage.run_directory import RunDirectory


@contextmanager
def says_how_to_go_on(verb: str, console: Console) -> Iterator[Callable[[RunDirectory], None]]:
    """Prints the command that goes on if what is inside is interrupted.

    Args:
        verb: Name of the trainer.
        console: Where it is printed.

    Yields:
        Takes the folder with which to go on, once it is known; its configuration need not be there
        yet.
    """
    begun: list[RunDirectory] = []
    try:
        yield begun.append
    except KeyboardInterrupt:
        for run in begun:
            if run.config.exists():
                command = f"{command_line(verb)} --config {shlex.quote(str(run.config))}"
                console.print(Text(visible(f"go on with: {command}")), soft_wrap=True)
        raise
