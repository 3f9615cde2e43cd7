"""The page of explained predictions: one offline HTML file with coloured words."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tf_finetune.evaluation.attributions import Explanation
from tf_finetune.evaluation.report import Answer
from tf_finetune.reports.console import printable
from tf_finetune.reports.page import numbers
from tf_finetune.reports.page.coloured_words import coloured_texts, word_rows
from tf_finetune.reports.page.rendering import page_templates
from tf_finetune.reports.page.tables import NAME_CHARACTERS
from tf_finetune.storage.files import write_atomically


@dataclass(frozen=True)
class ExplainedText:
    """A text, the model's answer and what the words contributed to it.

    Attributes:
        texts: The text, and the second text if there is one.
        predicted: The model's answer.
        probability: Of the explained label; None in a regression.
        explanation: Of one output.
    """

    texts: tuple[str, ...]
    predicted: Answer
    probability: float | None
    explanation: Explanation


def write_explanations_page(
    path: str | os.PathLike[str], title: str, explained: Sequence[ExplainedText], tolerance: float
) -> None:
    """Writes the page.

    Args:
        path: The file to write.
        title: Its heading.
        explained: What it shows, in order.
        tolerance: The largest gap that was aimed at, as a share of the sum of all magnitudes.

    Raises:
        UserError: The file cannot be written.
    """
    page = page_templates().get_template("explanations.html")
    content = page.render(
        title=title,
        tolerance=numbers.percent(tolerance),
        explained=[_entry(item) for item in explained],
        parts=any(item.explanation.asked for item in explained),
    )
    # A lone surrogate in a user's text has no UTF-8.
    write_atomically(path, content.encode("utf-8", errors="replace"))


def explanation_details(explanation: Explanation) -> dict[str, Any]:
    """What stands beside the coloured words: the outputs at both ends and the gap."""
    magnitudes = sum(abs(word.attribution) for word in explanation.all_words())
    label = explanation.label
    return {
        "label": None if label is None else printable(label, NAME_CHARACTERS),
        "quantity": "lead" if explanation.choice_words else "logit",
        "output": numbers.signed(explanation.output),
        "baseline": numbers.signed(explanation.baseline),
        "gap": f"{explanation.gap:.1e}",
        "share": numbers.percent(explanation.gap / magnitudes if magnitudes else 0.0),
        "steps": f"{explanation.steps:,}",
        "converged": explanation.converged,
    }


def _entry(item: ExplainedText) -> dict[str, Any]:
    return {
        **explanation_details(item.explanation),
        "predicted": answer_text(item.predicted),
        "probability": None if item.probability is None else f"{item.probability:.3f}",
        "texts": coloured_texts(item.explanation, item.texts),
        "shared": len(item.texts) - len(item.explanation.choice_words),
        "rows": word_rows(item.explanation),
    }


def answer_text(answer: Answer) -> str:
    """An answer of a model as a page shows it."""
    if isinstance(answer, float):
        return numbers.score(answer)
    text = answer if isinstance(answer, str) else ", ".join(answer) or "(none)"
    return printable(text, NAME_CHARACTERS)
