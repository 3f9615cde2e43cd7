"""What an interrupted command says about going on."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tf_finetune.errors import visible
from tf_finetune.invocation import command_line


@contextmanager
def says_how_to_go_on(verb: str, config: Path, console: Console) -> Iterator[None]:
    """Prints the command that goes on if what is inside is interrupted.

    Args:
        verb: Name of the trainer.
        config: The saved configuration, which need not be there yet.
        console: Where it is printed.
    """
    try:
        yield
    except KeyboardInterrupt:
        if config.exists():
            command = f"{command_line(verb)} --config {shlex.quote(str(config))}"
            console.print(Text(visible(f"go on with: {command}")), soft_wrap=True)
        raise
