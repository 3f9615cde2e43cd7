"""Why a model answered as it did, with the words coloured in a notebook."""

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tf_finetune.jobs.explain import ExplainedAnswer
from tf_finetune.reports.page.coloured_words import Stretch, coloured_texts

if TYPE_CHECKING:
    import pandas as pd

_STRONGEST = 0.75  # opacity of the strongest word's colour
_LINE = "line-height:1.8;margin:4px 0"
_COLOURS = {"for": "0,114,178", "against": "230,159,0"}
_KEY = "<small>blue spoke for the answer, orange against it; the deeper, the more</small>"


@dataclass(frozen=True)
class Explained:
    """A text, the answer, and what each word contributed to it.

    Attributes:
        found: The text, the answer and the explanation.
    """

    found: ExplainedAnswer

    @property
    def words(self) -> "pd.DataFrame":
        """A row a word: where it stands, and its contribution, above 0 for the answer."""
        import pandas as pd

        rows = [
            {"word": w.text, "start": w.start, "end": w.end, "contribution": w.attribution}
            for w in self.found.explanation.all_words()
        ]
        return pd.DataFrame(rows, columns=["word", "start", "end", "contribution"])

    def to_dict(self) -> dict[str, Any]:
        """All of it, as `explain` writes it into JSON."""
        return self.found.to_dict()

    def __str__(self) -> str:
        """The answer and its strongest words."""
        words = sorted(self.found.explanation.all_words(), key=lambda w: -abs(w.attribution))[:3]
        strongest = ", ".join(f"{word.text} {word.attribution:+.2f}" for word in words)
        return f"{self._about}: {strongest}"

    @property
    def _about(self) -> str:
        why = self.found.explanation
        if why.label is None:
            return f"value {why.output:.4g}"
        return f"{why.label} (probability {self.found.shown.probability:.3f})"

    def _repr_html_(self) -> str:
        """The text with its words coloured, over what the colours mean."""
        return f"<div>{self.coloured()}{_KEY}</div>"

    def coloured(self) -> str:
        """The answer and the text with its words coloured, as HTML."""
        lines = "".join(
            f'<p dir="auto" style="{_LINE}">{"".join(map(_coloured, parts))}</p>'
            for parts in coloured_texts(self.found.explanation, self.found.shown.texts)
        )
        return f"<b>{html.escape(self._about)}</b>{lines}"


def _coloured(part: Stretch) -> str:
    text = html.escape(part.text)
    colour = _COLOURS.get(part.kind)
    if colour is None:
        return text
    style = f"background:rgba({colour},{_STRONGEST * part.strength:.2f});border-radius:3px"
    return f'<span style="{style}" title="{html.escape(part.number)}">{text}</span>'


class ExplainedTexts(tuple[Explained, ...]):
    """Explanations of several texts."""

    def __str__(self) -> str:
        """A line a text."""
        return "\n".join(map(str, self))

    def _repr_html_(self) -> str:
        """One below the other."""
        return f"<div>{'<hr>'.join(one.coloured() for one in self)}{_KEY}</div>"
