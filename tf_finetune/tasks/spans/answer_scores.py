"""Scores of answers that are words of a text."""

from collections.abc import Sequence

import numpy as np
from typing_extensions import Self  # of typing since Python 3.11

from tf_finetune.tasks.scored import Scored, weighted_mean
from tf_finetune.tasks.spans.answer_text import agreement

ANSWER_METRICS = ("token_f1", "exact_match", "loss")


class AnswerScored(Scored):
    """Answers to n questions, each compared with the gold answer that is best for it."""

    def __init__(self, exact: np.ndarray, f1: np.ndarray, losses: np.ndarray) -> None:
        """Keeps what each answer scores.

        Args:
            exact: 1 where the answer is the gold one, else 0, [n].
            f1: Its token F1, float [n].
            losses: Loss of each question, float [n].
        """
        self.num_examples = len(exact)
        self._values = dict(zip(ANSWER_METRICS, (f1, exact, losses), strict=True))

    @classmethod
    def of_answers(
        cls,
        given: Sequence[str],
        gold: Sequence[Sequence[str]],
        by_characters: np.ndarray,
        losses: np.ndarray,
    ) -> Self:
        """Compares answers in words.

        Args:
            given: What was answered to each of n questions; "" is that there is no answer.
            gold: The gold answers to each; none where there is no answer.
            by_characters: Whether its text is written without spaces, bool [n].
            losses: Loss of each question, float [n].
        """
        found = [
            agreement(answer, wanted, by_characters=bool(characters))
            for answer, wanted, characters in zip(given, gold, by_characters, strict=True)
        ]
        exact, f1 = np.array(found, np.float64).reshape(-1, 2).T
        return cls(exact, f1, losses)

    def scores(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """See `Scored.scores`."""
        return {name: weighted_mean(weights, values) for name, values in self._values.items()}

    def of_each(self, name: str) -> np.ndarray:
        """A score of each question by itself, float64 [n]."""
        return np.asarray(self._values[name], np.float64)

    @property
    def shares(self) -> frozenset[str]:
        """See `Scored.shares`."""
        return frozenset({"exact_match"})
