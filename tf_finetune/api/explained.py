"""Why a model answered as it did, with the words coloured in a notebook."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tf_finetune.evaluation.attributions import Explanation
from tf_finetune.reports.page.coloured_words import Stretch, coloured_texts

if TYPE_CHECKING:
    import pandas as pd

_STRONGEST = 0.75  # opacity of the strongest word's colour
_COLOURS = {"for": "0,114,178", "against": "230,159,0"}
_KEY = "blue spoke for the answer, orange against it; the deeper, the more"


@dataclass(frozen=True)
class ExplainedAnswer:
    """A text, the answer, and what each word contributed to it.

    Attributes:
        text: The text.
        text_pair: The second text, or None.
        answer: As a row of `predict`, with the probabilities of all labels.
        explanation: Of one output; see `Explanation`.
    """

    text: str
    text_pair: str | None
    answer: Mapping[str, Any]
    explanation: Explanation

    @property
    def words(self) -> "pd.DataFrame":
        """A row a word: where it stands, and its contribution, above 0 for the answer."""
        import pandas as pd

        rows = [
            {"word": w.text, "start": w.start, "end": w.end, "contribution": w.attribution}
            for w in self.explanation.all_words()
        ]
        return pd.DataFrame(rows, columns=["word", "start", "end", "contribution"])

    def to_dict(self) -> dict[str, Any]:
        """All of it as `explain` writes it into JSON."""
        pair = {} if self.text_pair is None else {"text_pair": self.text_pair}
        return {
            "text": self.text,
            **pair,
            **self.answer,
            "explanation": self.explanation.to_dict(),
        }

    def __str__(self) -> str:
        """The answer and its strongest words."""
        strongest = sorted(self.explanation.all_words(), key=lambda w: -abs(w.attribution))[:3]
        words = ", ".join(f"{word.text} {word.attribution:+.2f}" for word in strongest)
        return f"{self._about}: {words}"

    @property
    def _about(self) -> str:
        label = self.explanation.label
        if label is None:
            return f"value {self.explanation.output:.4g}"
        return f"{label} {self.answer['probabilities'][label]:.3f}"

    def _repr_html_(self) -> str:
        """The text with its words coloured."""
        texts = [self.text] if self.text_pair is None else [self.text, self.text_pair]
        lines = "".join(
            f'<p dir="auto" style="line-height:1.8;margin:4px 0">{"".join(map(_coloured, parts))}</p>'
            for parts in coloured_texts(self.explanation, texts)
        )
        return f"<div><b>{html.escape(self._about)}</b>{lines}<small>{_KEY}</small></div>"


def _coloured(part: Stretch) -> str:
    text = html.escape(part.text)
    colour = _COLOURS.get(part.kind)
    if colour is None:
        return text
    style = f"background:rgba({colour},{_STRONGEST * part.strength:.2f});border-radius:3px"
    return f'<span style="{style}" title="{html.escape(part.number)}">{text}</span>'


class ExplainedAnswers(tuple[ExplainedAnswer, ...]):
    """Explanations of several texts."""

    def __str__(self) -> str:
        """A line a text."""
        return "\n".join(map(str, self))

    def _repr_html_(self) -> str:
        """One below the other."""
        return "<hr>".join(one._repr_html_() for one in self)
