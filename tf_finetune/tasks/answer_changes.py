"""How answers to a text before and after a change of it are compared."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tf_finetune.errors import UserError
from tf_finetune.tasks.encoding import LabelEncoding


class AnswerChanges(LabelEncoding):
    """The side of a task that is asked what has become of its answers.

    Answers are predictions, or targets, of n texts.

    Attributes:
        kept_words: Words of its texts that a change may not touch, as markers of entities.
        holds_several: Whether one answer may hold several names.
    """

    kept_words: ClassVar[tuple[str, ...]] = ()
    holds_several: ClassVar[bool] = False

    @abstractmethod
    def predicted(self, logits: np.ndarray) -> np.ndarray:
        """Turns logits into predictions that look like targets."""

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Turns logits into class probabilities, float64 [n, C].

        Raises:
            ValueError: The answers are numbers.
        """
        raise ValueError(f"a {self.task} model has no probabilities")

    def answer_tolerance(self, targets: np.ndarray, given: float | None) -> float:
        """By how much an answer may differ and still count as the same.

        Args:
            targets: Of the texts.
            given: What the user says; None: nothing.

        Raises:
            UserError: Answers are names, which are the same or not.
        """
        if given is not None:
            raise UserError(
                f"--tolerance: received {given:g}, but this model answers with names; accepted: it "
                "with a model of numbers"
            )
        return 0.0

    def differ(self, ones: np.ndarray, others: np.ndarray, tolerance: float) -> np.ndarray:
        """Which answers are others, bool [n]; where several names apply, if any is another.

        Args:
            ones: Answers.
            others: As many.
            tolerance: From `answer_tolerance`.
        """
        return (ones != others).reshape(len(ones), -1).any(axis=1)

    def support(self, answers: np.ndarray, logits: np.ndarray) -> np.ndarray | None:
        """The probabilities that outputs give to some answers, float64 [n].

        Args:
            answers: Answers to n texts, whoever gave them.
            logits: Outputs for the texts.

        Returns:
            None where answers are numbers, which have none.
        """
        chances = self.probabilities(logits)
        return np.take_along_axis(chances, answers[:, None].astype(np.int64), axis=1)[:, 0]

    def leaning(self, logits: np.ndarray, output: int) -> np.ndarray:
        """What should rise or fall: the probability of a name, or the number; float64 [n]."""
        return self.probabilities(logits)[:, output]

    def output_of(self, label: str | None) -> int | None:
        """The output that a label names, as the data write it; None if there is none such."""
        if label is None or not self.names:
            return 0 if label is None and not self.names else None
        (value,) = self.values_of([label])
        return None if value is None else int(value)

    def answer_of(self, labels: Sequence[str]) -> np.ndarray | None:
        """The answer that labels name, as the data write them, [1, ...]; None if they do not.

        Args:
            labels: One, or several where several may apply.
        """
        values = self.values_of(list(labels))
        if None in values or (len(labels) != 1 and not self.holds_several):
            return None
        numbers = np.array(values, np.float64)
        return self.of_numbers(numbers, np.zeros(len(numbers), np.int64), 1)

    def having(self, targets: np.ndarray) -> np.ndarray:
        """Which of the `names` each text has, bool [n, C]; C is 0 where answers are numbers."""
        return np.asarray(targets)[:, None] == np.arange(len(self.names))
