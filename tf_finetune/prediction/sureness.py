"""Marks the answers that a model is not sure of, and counts them."""

from collections.abc import Iterator, Mapping
from typing import Any

from tf_finetune.errors import UserError
from tf_finetune.runs.outputs import Outputs
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.table import check_calibrates

SURE = "sure"  # the key, and the column, of an answer


class Sureness:
    """Marks answers by whether they are as sure as is wanted.

    Args:
        least: The probability that an answer needs; None: nothing is marked.

    Attributes:
        answered: How many answers were marked.
        unsure: How many of them are not sure.
    """

    def __init__(self, least: float | None = None):
        self.least = least
        self.answered = 0
        self.unsure = 0

    def answers(
        self, outputs: Outputs, labels: LabelSpace, top_k: int | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """Answers as `Outputs.answers` gives them, `sure` beside each where it is wanted.

        Args:
            outputs: Of some examples.
            labels: What they mean.
            top_k: As for `Outputs.answers`.
        """
        found = outputs.answers(labels, top_k)
        if self.least is None:
            yield from found
            return
        certainties = labels.certainty(outputs.logits)
        for answer, certainty in zip(found, certainties.tolist(), strict=True):
            is_sure = certainty >= self.least
            self.answered += 1
            self.unsure += not is_sure
            yield {**answer, SURE: is_sure}

    def sentence(self) -> str:
        """Such as `1 of 9 answers are not sure: less than 0.9 probable`; "" if none was marked."""
        if not self.answered:
            return ""
        return (
            f"{self.unsure:,} of {self.answered:,} answers are not sure: less than "
            f"{self.least:g} probable"
        )


def check_at_least(value: str | None, labels: LabelSpace, flag: str = "--at-least") -> float | None:
    """Reads the flag --at-least.

    Args:
        value: What was given.
        labels: What the model's outputs mean.
        flag: What it is called.

    Raises:
        UserError: It is no probability, or the model's answers have none.
    """
    if value is None:
        return None
    check_calibrates(labels.task, f"{flag}: received {value}")
    try:
        least = float(value)
    except ValueError:
        least = float("nan")
    if not 0 < least <= 1:
        raise UserError(f"{flag}: received {value!r}; accepted: a number above 0, at most 1")
    return least
