"""What an interrupted command says about going on."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console


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
            console.print(
                f"go on with: python -m trainers.{verb} --config {shlex.quote(str(config))}",
                highlight=False,
                soft_wrap=True,
                markup=False,
            )
        raise
