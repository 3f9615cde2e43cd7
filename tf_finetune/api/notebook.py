"""A notebook's output: one bar that moves, over the lines that a command would print."""

import html
import sys
import threading
from collections.abc import Callable
from io import StringIO
from typing import Any

from rich.console import Console, RenderableType

_WIDTH = 100
_LINES = 14
_SECONDS = 0.5  # between two pictures of the bar

_STYLE = "font-family:monospace;font-size:12px;line-height:1.35;white-space:pre-wrap;margin:0"
# Turned round, the box shows its last lines without a script.
_BOX = (
    f"max-height:{_LINES * 1.35:.0f}em;overflow:auto;display:flex;flex-direction:column-reverse;"
    "border-left:3px solid #8884;padding-left:8px"
)


def in_notebook() -> bool:
    """Whether the code runs in a kernel whose output is shown as HTML (Jupyter, Colab)."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and hasattr(shell, "kernel")


class NotebookConsole(Console):
    """Lines that are printed, and above them what changes, in one output of a cell."""

    def __init__(self) -> None:
        """An output that is not open yet."""
        self._text = StringIO()
        super().__init__(
            file=self._text, force_terminal=False, force_jupyter=False, width=_WIDTH, no_color=True
        )
        self._renderable: Callable[[], RenderableType] | None = None
        self._output: Any = None
        self._ended = threading.Event()
        self._shown = ""
        self._thread = threading.Thread(target=self._keep_showing, daemon=True)

    def open(self) -> None:
        """Opens the output in the cell that runs."""
        from IPython.display import HTML, display

        self._output = display(HTML(""), display_id=True)
        self._thread.start()

    def close(self) -> None:
        """Leaves the lines, folded up."""
        self._ended.set()
        self._thread.join()
        self._renderable = None
        self._update(self._page(folded=True))

    def show(self, renderable: Callable[[], RenderableType] | None) -> None:
        """Shows what changes, until it is given None."""
        self._renderable = renderable

    def _keep_showing(self) -> None:
        while not self._ended.wait(_SECONDS):
            self._update(self._page(folded=False))

    def _update(self, page: str) -> None:
        from IPython.display import HTML

        if page != self._shown:
            self._shown = page
            self._output.update(HTML(page))

    def _page(self, *, folded: bool) -> str:
        lines = self._text.getvalue().rstrip("\n")
        count = lines.count("\n") + 1 if lines else 0
        text = f'<pre style="{_STYLE}">{html.escape(lines)}</pre>'
        if folded:
            return f"<details><summary>{count:,} lines of what was done</summary>{text}</details>"
        box = f'<div style="{_BOX}">{text}</div>'
        return f'<pre style="{_STYLE}">{html.escape(self._live_text())}</pre>{box}'

    def _live_text(self) -> str:
        """What changes, as text."""
        if self._renderable is None:
            return ""
        text = StringIO()
        Console(
            file=text, force_terminal=False, force_jupyter=False, width=_WIDTH, no_color=True
        ).print(self._renderable())
        return text.getvalue().rstrip("\n")
