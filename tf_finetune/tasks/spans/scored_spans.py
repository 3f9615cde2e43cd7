"""How answers to questions are scored, and what is wrong with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from tf_finetune.tasks.pseudo_examples import Kind
from tf_finetune.tasks.scored import Scored
from tf_finetune.tasks.spans.answer_scores import ANSWER_METRICS, AnswerScored
from tf_finetune.tasks.spans.answer_text import is_written_in_characters
from tf_finetune.tasks.spans.found_answers import FoundAnswers, find_answers
from tf_finetune.tasks.spans.no_answer import best_threshold
from tf_finetune.tasks.spans.pseudo_questions import pseudo_questions
from tf_finetune.tasks.spans.span_layout import END, READS, START, SpanTargets, joined_lines
from tf_finetune.tasks.spans.span_losses import scored_losses
from tf_finetune.tasks.spans.span_outputs import SpanOutputs
from tf_finetune.tasks.spans.span_rows import NOWHERE
from tf_finetune.tasks.wrong_answers import RecordsOf, WrongAnswer, surest_wrong_answers

_EDGES = np.nextafter(0.0, 1.0), np.nextafter(1.0, 0.0)  # a threshold is neither 0 nor 1
# A margin beside all others; a probability would not keep the next number to one.
_ASIDE = 1e-4


@dataclass(frozen=True)
class ScoredSpans(SpanOutputs):
    """Answers held against those that are right.

    Targets of n rows are int32 [n, width], see `span_layout`. Answers and scores are of examples,
    over all their windows.
    """

    metrics: ClassVar[tuple[str, ...]] = ANSWER_METRICS
    headline: ClassVar[str] = "token_f1"
    mistake_words: ClassVar[str] = "surest wrong answers"
    constant_name: ClassVar[str] = "same_answer"
    constant_words: ClassVar[str] = "none where most windows hold none, or else the first token"

    joined_targets = staticmethod(joined_lines)

    @staticmethod
    def example_count(targets: np.ndarray) -> int:
        """See `LabelSpace.example_count`."""
        return SpanTargets(targets).num_examples

    def same_in_all(self, targets: np.ndarray) -> tuple[str, str] | None:
        """See `LabelSpace.same_in_all`."""
        if SpanTargets(targets).has_answer.any():
            return None
        return "answer, which is none,", "questions that have an answer"

    def strata(self, targets: np.ndarray, most: int) -> np.ndarray:
        """Whether there is an answer; see `LabelSpace.strata`."""
        return np.minimum(SpanTargets(targets).has_answer.astype(np.int64), most - 1)

    def _found(self, targets: np.ndarray, logits: np.ndarray) -> FoundAnswers:
        return find_answers(SpanTargets(targets), self.by_read(logits), may_lack=self.may_lack)

    def _given(self, found: FoundAnswers) -> list[str]:
        """The answer to each question; "" is that there is none."""
        lacks = found.spans.null_margin > self.margin
        return ["" if none else text for none, text in zip(lacks, found.texts, strict=True)]

    def scored_answers(self, targets: np.ndarray, logits: np.ndarray) -> Scored:
        """See `LabelSpace.scored_answers`; the loss of a question is the mean of its windows'."""
        return self._scored(targets, logits, self._given(self._found(targets, logits)))

    def _scored(
        self, targets: np.ndarray, logits: np.ndarray, given: Sequence[str]
    ) -> AnswerScored:
        layout = SpanTargets(targets)
        first = np.flatnonzero(~layout.goes_on).tolist()
        of_rows = scored_losses(self.by_read(logits), targets[:, [START, END, READS]])
        windows = np.bincount(layout.examples)
        return AnswerScored.of_answers(
            given,
            [layout.answers(row) for row in first],
            np.array([is_written_in_characters(layout.text(row)) for row in first]),
            np.bincount(layout.examples, of_rows) / windows,
        )

    def chosen_threshold(self, targets: np.ndarray, logits: np.ndarray) -> float | None:
        """That with the best token F1; see `LabelSpace.chosen_threshold`."""
        found = self._found(targets, logits)
        f1 = self._scored(targets, logits, found.texts).of_each("token_f1")
        has_answer = SpanTargets(targets).has_answer[found.rows]
        margins = found.spans.null_margin
        margin = best_threshold(margins, f1, has_answer)
        if margin < margins.min():
            margin = margins.min() - _ASIDE
        elif margin >= margins.max():
            margin = margins.max() + _ASIDE
        return float(np.clip(special.expit(margin), *_EDGES))

    def constant_logits(self, train_targets: np.ndarray) -> np.ndarray:
        """Logarithms of how often a window holds no answer, and of how often one; float64 [2]."""
        holds = SpanTargets(train_targets).start != NOWHERE
        counts = np.bincount(holds.astype(np.int64), minlength=2)
        return np.log(counts + 1.0)

    def repeated(self, answer: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """See `LabelSpace.repeated`: all tokens of a window are as likely."""
        layout = SpanTargets(targets)
        none, some = answer
        places = np.arange(int(layout.reads.max()))
        tokens = np.maximum(layout.reads[:, None] - 1, 1)
        logits = np.where(places == NOWHERE, none, some - np.log(tokens))
        logits = np.where(places < layout.reads[:, None], logits, 0.0)
        return np.repeat(logits, self.num_outputs, axis=1)

    def pseudo_examples(
        self, targets: np.ndarray, logits: np.ndarray, kind: Kind, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `pseudo_questions`."""
        margin = self.margin if self.may_lack else None
        layout, by_read = SpanTargets(targets), self.by_read(logits)
        goal, answers = pseudo_questions(layout, by_read, kind, seed, margin=margin)
        return goal, answers.reshape(len(goal), *np.shape(logits)[1:])

    def wrong_answers(
        self, targets: np.ndarray, logits: np.ndarray, records_of: RecordsOf, most: int
    ) -> list[WrongAnswer]:
        """The questions with the surest wrong answers; see `LabelSpace.wrong_answers`."""
        layout, found = SpanTargets(targets), self._found(targets, logits)
        given = self._given(found)
        exact = self._scored(targets, logits, given).of_each("exact_match")
        lacks = found.spans.null_margin > self.margin
        chances = np.where(lacks, found.spans.null_probability, found.spans.probability[:, 0])
        wrongness = np.zeros((len(layout), 1))
        wrongness[~layout.goes_on, 0] = np.where(exact > 0, 0.0, chances)

        def both(row: int) -> tuple[list[str], list[str]]:
            answer = given[int(layout.examples[row])]
            return self.words(targets[row]), [answer] if answer else []

        return surest_wrong_answers(wrongness, both, lambda chance: chance, records_of, most)

    def words(self, encoded: np.ndarray) -> list[str]:
        """The gold answers; see `LabelSpace.words`."""
        return list(SpanTargets(encoded[None]).answers(0))
