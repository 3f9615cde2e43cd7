"""What is shown while something runs, and taken away when it ends."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from rich.console import Console, RenderableType
from rich.live import Live

_PER_SECOND = 4


@runtime_checkable
class ShowsLive(Protocol):
    """A console that has its own way of showing what changes, such as a notebook's."""

    def show(self, renderable: Callable[[], RenderableType] | None) -> None:
        """Shows, again and again, what it is given; None shows nothing more."""


class LiveDisplay:
    """Shows something that changes: on a terminal, or where a console says how.

    Args:
        console: Where to show it; one that is neither shows nothing.
        renderable: Gives what is to be seen now.
        transient: Whether a terminal forgets it at the end.
    """

    def __init__(
        self,
        console: Console,
        renderable: Callable[[], RenderableType],
        *,
        transient: bool = True,
    ):
        self._console = console
        self._renderable = renderable
        self._live: Live | None = None
        if not isinstance(console, ShowsLive) and console.is_terminal:
            self._live = Live(
                get_renderable=renderable,
                console=console,
                refresh_per_second=_PER_SECOND,
                transient=transient,
            )

    @property
    def is_shown(self) -> bool:
        """Whether anybody sees it."""
        return self._live is not None or isinstance(self._console, ShowsLive)

    def start(self) -> None:
        """Shows it from now on."""
        if self._live is not None:
            self._live.start()
        elif isinstance(self._console, ShowsLive):
            self._console.show(self._renderable)

    def stop(self) -> None:
        """Takes it away; does nothing the second time."""
        if self._live is not None:
            self._live.stop()
        elif isinstance(self._console, ShowsLive):
            self._console.show(None)

    def __enter__(self) -> "LiveDisplay":
        """Shows it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Takes it away."""
        self.stop()
