"""A report that shows itself."""

import html
from dataclasses import dataclass
from pathlib import Path

_HEIGHT = 720  # pixels of the frame


@dataclass(frozen=True)
class ReportPage:
    """The page of a run or a search.

    Attributes:
        path: The file, which opens in any browser.
    """

    path: Path

    def __str__(self) -> str:
        """The path."""
        return str(self.path)

    def _repr_html_(self) -> str:
        """The page in a frame, whole, so that a notebook shows it wherever it is opened."""
        page = html.escape(self.path.read_text(encoding="utf-8"), quote=True)
        return (
            f'<iframe srcdoc="{page}" style="width:100%;height:{_HEIGHT}px;border:1px solid #8884" '
            'title="report"></iframe>'
        )
