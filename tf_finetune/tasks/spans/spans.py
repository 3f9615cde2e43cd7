"""Answers that are spans of a text: extractive question answering."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel
from scipy import special
from typing_extensions import Self  # of typing since Python 3.11

from tf_finetune.encoders.family import Pooling
from tf_finetune.sources.problems import Problems
from tf_finetune.sources.records import Record
from tf_finetune.tasks.encoding import Written
from tf_finetune.tasks.labels import CONFIDENCE, LabelSpace
from tf_finetune.tasks.pseudo_examples import Kind
from tf_finetune.tasks.raw_labels import RawLabels
from tf_finetune.tasks.scored import Scored
from tf_finetune.tasks.spans.answer_scores import ANSWER_METRICS, AnswerScored
from tf_finetune.tasks.spans.answer_text import is_written_in_characters
from tf_finetune.tasks.spans.answers_in_words import record_answers
from tf_finetune.tasks.spans.found_answers import FoundAnswers, find_answers
from tf_finetune.tasks.spans.no_answer import best_threshold
from tf_finetune.tasks.spans.pseudo_questions import pseudo_questions
from tf_finetune.tasks.spans.span_layout import (
    END,
    READS,
    START,
    SpanTargets,
    joined_lines,
    span_line,
    span_targets,
)
from tf_finetune.tasks.spans.span_losses import (
    scored_losses,
    span_imitation_losses,
    span_losses,
)
from tf_finetune.tasks.spans.span_rows import NOWHERE, span_rows
from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.tasks.wrong_answers import RecordsOf, WrongAnswer, surest_wrong_answers

if TYPE_CHECKING:
    import tensorflow as tf

_EDGES = np.nextafter(0.0, 1.0), np.nextafter(1.0, 0.0)  # a threshold is neither 0 nor 1
# A margin beside all others; a probability would not keep the next number to one.
_ASIDE = 1e-4


class SpanOfText(BaseModel):
    """A part of a text that may be the answer."""

    start: int
    end: int
    text: str
    probability: float


class FoundAnswer(BaseModel):
    """The answer to a question: a part of the second text, or null where that holds none."""

    answer: str | None
    start: int | None
    end: int | None
    probability: float
    answers: list[SpanOfText]
    no_answer_probability: float | None = None


@dataclass(frozen=True)
class Spans(LabelSpace):
    """Where in a text the answer to a question begins and ends.

    A row is a question and a window of its context. Of it the first token is read, which stands
    for "no answer here", and every token of the context; the head says of each read how likely
    the answer begins there, and how likely it ends there. Targets of n rows are int32 [n, width],
    see `span_layout`; logits of a row stand read after read, float [n, r * 2]. Answers and scores
    are of examples, over all their windows.

    Attributes:
        no_answer_threshold: Where questions may have no answer: the probability of none, against
            the likeliest span, above which none is given. None: every question has an answer.
    """

    no_answer_threshold: float | None = None

    task: ClassVar[str] = "span"
    read_as: ClassVar[Written] = "span"
    nouns: ClassVar[tuple[str, str]] = ("answer", "answers")
    answer_key: ClassVar[str] = "answer"
    answer_body: ClassVar[type[BaseModel]] = FoundAnswer
    mistake_words: ClassVar[str] = "surest wrong answers"
    # The library knows no other for a model that tells places apart; the folder names the task.
    problem_type: ClassVar[str] = "single_label_classification"
    answer_kind: ClassVar[str] = "the part of a text that answers a question"
    metrics: ClassVar[tuple[str, ...]] = ANSWER_METRICS
    headline: ClassVar[str] = "token_f1"
    probability_words: ClassVar[str] = "softmax over all spans that could be the answer"
    constant_name: ClassVar[str] = "same_answer"
    constant_words: ClassVar[str] = "none where most windows hold none, or else the first token"
    makes_rows: ClassVar[bool] = True
    joins_reads: ClassVar[bool] = True
    has_exact_head: ClassVar[bool] = False
    pooling: ClassVar[Pooling | None] = "second_text"
    library_class: ClassVar[str] = "ForQuestionAnswering"
    pipeline: ClassVar[str] = "question-answering"
    pipeline_use: ClassVar[tuple[str, str]] = ("", 'question="a question", context="a text"')
    outputs_in_words: ClassVar[str] = (
        "The two outputs of each token are how likely the answer begins there, and how likely it "
        "ends there; those of the first token, that there is none."
    )
    long_texts: ClassVar[str] = (
        "the contexts of longer ones are read in windows that overlap by a quarter"
    )
    threshold_words: ClassVar[str] = "no answer above"
    unable: ClassVar[frozenset[str]] = frozenset(
        {"explain", "export", "serve", "preflight", "profile", "rank", "keras"}
    )

    rows = staticmethod(span_rows)
    joined_targets = staticmethod(joined_lines)

    @classmethod
    def purpose(cls, num_names: int) -> str:
        """See `LabelSpace.purpose`."""
        return "which part of a text answers a question about it"

    @property
    def num_outputs(self) -> int:
        """Two of each read, its start and its end; see `LabelEncoding.num_outputs`."""
        return len(self.output_names)

    @property
    def output_names(self) -> tuple[str, ...]:
        """See `LabelSpace.output_names`."""
        return "start", "end"

    @classmethod
    def of_model(cls, names: tuple[str, ...], threshold: float | None) -> Self:
        """See `LabelSpace.of_model`; with a threshold, questions may have no answer."""
        return cls(no_answer_threshold=threshold)

    # Labels.

    def encode_collecting(self, raw: RawLabels, problems: Problems) -> np.ndarray:
        """See `LabelSpace.encode_collecting`; the source has been checked row by row."""
        if raw.made is None:
            raise ValueError(f"a {self.task} task makes its own rows")
        examples = np.arange(len(raw.rows)) if raw.examples is None else raw.examples
        goes_on = np.append(False, examples[1:] == examples[:-1]).tolist()
        made = (raw.made.column(name) for name in ("target", "spans", "text_pair"))
        columns = zip(*made, raw.values, goes_on[: len(raw.rows)], strict=True)
        return span_targets(
            span_line(
                tuple(target.as_py()),
                spans.values.to_numpy().reshape(-1, 2),
                text.as_py(),
                answers.as_py(),
                goes_on=more,
            )
            for target, spans, text, answers, more in columns
        )

    def fitted(self, targets: np.ndarray) -> Self:
        """Whether there are questions without an answer; see `LabelSpace.fitted`."""
        if SpanTargets(targets).has_answer.all():
            return self
        return replace(self, no_answer_threshold=0.5)

    def values_of(self, labels: list[str]) -> list[float | None]:
        """None: answers are no names; see `LabelSpace.values_of`."""
        return [None] * len(labels)

    def of_numbers(self, numbers: np.ndarray, texts: np.ndarray, num_texts: int) -> np.ndarray:
        """See `LabelSpace.of_numbers`."""
        raise ValueError("answers are no numbers")

    def check_lists(self, raw: RawLabels, problems: Problems) -> None:
        """See `LabelSpace.check_lists`; answers are lists."""

    def accepted(self) -> str:
        """See `LabelSpace.accepted`."""
        return "texts of the context"

    def same_in_all(self, targets: np.ndarray) -> tuple[str, str] | None:
        """See `LabelSpace.same_in_all`."""
        if SpanTargets(targets).has_answer.any():
            return None
        return "answer, which is none,", "questions that have an answer"

    def strata(self, targets: np.ndarray, most: int) -> np.ndarray:
        """Whether there is an answer; see `LabelSpace.strata`."""
        return np.minimum(SpanTargets(targets).has_answer.astype(np.int64), most - 1)

    @staticmethod
    def answer_targets(targets: np.ndarray, reads: int) -> np.ndarray:
        """Where the answer begins and ends, and the reads, int32 [b, 1, 3]."""
        return targets[:, None, [START, END, READS]]

    @staticmethod
    def example_count(targets: np.ndarray) -> int:
        """See `LabelSpace.example_count`."""
        return SpanTargets(targets).num_examples

    @property
    def threshold(self) -> float | None:
        """See `LabelEncoding.threshold`; that of no answer."""
        return self.no_answer_threshold

    def decided_at(self, threshold: float | Literal["auto"]) -> Self:
        """See `LabelEncoding.decided_at`."""
        if self.no_answer_threshold is None:
            return super().decided_at(threshold)
        return self if threshold == "auto" else replace(self, no_answer_threshold=threshold)

    # Losses.

    @staticmethod
    def losses(
        targets: "tf.Tensor",
        logits: "tf.Tensor",
        label_smoothing: float = 0.0,
        deviation: "tf.Tensor | float" = 1.0,
    ) -> "tf.Tensor":
        """See `span_losses`; targets int32 [b, 3], logits of whole rows [b, r * 2]."""
        return span_losses(targets, logits, label_smoothing)

    @staticmethod
    def losses_and_slopes(
        targets: np.ndarray,
        logits: np.ndarray,
        label_smoothing: float = 0.0,
        deviation: float = 1.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """No head is solved that answers several reads together: `has_exact_head`."""
        raise ValueError("the head of a span task is trained in steps")

    @staticmethod
    def curvatures(logits: np.ndarray) -> np.ndarray:
        """As for `losses_and_slopes`."""
        raise ValueError("the head of a span task is trained in steps")

    @staticmethod
    def imitation_losses(
        answers: "tf.Tensor",
        logits: "tf.Tensor",
        temperature: float,
        deviation: "tf.Tensor | float" = 1.0,
    ) -> "tf.Tensor":
        """See `span_imitation_losses`."""
        return span_imitation_losses(answers, logits, temperature)

    @staticmethod
    def target_shape(num_outputs: int) -> tuple[tuple[int, ...], str]:
        """That of a row in a batch; see `LabelSpace.target_shape`."""
        return (3,), "int32"

    # Answers and their scores.

    def by_read(self, logits: np.ndarray) -> np.ndarray:
        """Logits [n, r * 2] as [n, r, 2]."""
        return np.asarray(logits).reshape(len(logits), -1, self.num_outputs)

    def predicted(self, logits: np.ndarray) -> np.ndarray:
        """The likeliest start and the likeliest end of each row by itself, int32 [n, 2].

        They are reads, as `SpanTargets.start` and `end` are.
        """
        by_read = self.by_read(logits)
        masked = np.where(by_read.any(axis=-1, keepdims=True), by_read, -np.inf)
        return masked.argmax(axis=1).astype(np.int32)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Of starts and of ends, each a softmax over a row's reads; [n, r * 2]."""
        by_read = self.by_read(logits).astype(np.float64)
        # What is not read has no logits but 0.
        masked = np.where(by_read.any(axis=-1, keepdims=True), by_read, -np.inf)
        return special.softmax(masked, axis=1).reshape(len(logits), -1)

    def averaged(self, logits: np.ndarray) -> np.ndarray:
        """Mean logits, which compare windows as those of one model do."""
        return np.asarray(logits, np.float64).mean(axis=0)

    def _found(self, targets: np.ndarray, logits: np.ndarray) -> FoundAnswers:
        may_lack = self.no_answer_threshold is not None
        return find_answers(SpanTargets(targets), self.by_read(logits), may_lack=may_lack)

    @property
    def _margin(self) -> float:
        """By how much no answer must beat the best span to be given."""
        threshold = self.no_answer_threshold
        return 0.0 if threshold is None else float(special.logit(threshold))

    def _given(self, found: FoundAnswers) -> list[str]:
        """The answer to each question; "" is that there is none."""
        lacks = found.spans.null_margin > self._margin
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
        margin = None if self.no_answer_threshold is None else self._margin
        layout, by_read = SpanTargets(targets), self.by_read(logits)
        goal, answers = pseudo_questions(layout, by_read, kind, seed, margin=margin)
        return goal, answers.reshape(len(goal), *np.shape(logits)[1:])

    # Answers in words.

    def row_answers(
        self,
        records: Sequence[Record],
        rows: Sequence[TaskRow],
        logits: np.ndarray,
        top_k: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """See `LabelSpace.row_answers`, and `record_answers`."""
        may_lack = self.no_answer_threshold is not None
        yield from record_answers(
            records, rows, self.by_read(logits), top_k, may_lack=may_lack, margin=self._margin
        )

    def most_listed(self) -> int | None:
        """None: as many spans as are asked for; see `LabelSpace.most_listed`."""
        return None

    def answer_columns(self) -> tuple[str, ...]:
        """See `LabelSpace.answer_columns`."""
        return "answer", "start", "end", "probability"

    def answer_fields(self, answer: Mapping[str, Any], separator: str) -> tuple[Any, ...]:
        """See `LabelSpace.answer_fields`."""
        return tuple(answer[name] for name in self.answer_columns())

    @staticmethod
    def answer_type() -> pa.DataType:
        """See `LabelSpace.answer_type`."""
        return pa.string()

    def further_columns(self) -> tuple[tuple[str, pa.DataType], ...]:
        """See `LabelSpace.further_columns`."""
        place = [("start", pa.int64()), ("end", pa.int64()), ("text", pa.string())]
        spans = pa.list_(pa.struct([*place, ("probability", pa.float64())]))
        found = [*place[:2], ("probability", pa.float64()), ("answers", spans)]
        if self.no_answer_threshold is not None:
            found.append(("no_answer_probability", pa.float64()))
        return tuple(found)

    def graph_outputs(self, logits: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        """The two outputs of each read; see `LabelSpace.graph_outputs`."""
        return {"start_logits": logits[..., 0], "end_logits": logits[..., 1]}

    def watched(self, logits: np.ndarray) -> dict[str, list[str | float]]:
        """How sure of a start each row is; see `LabelSpace.watched`."""
        chances = self.by_read(self.probabilities(logits))[..., 0]
        return {CONFIDENCE: chances.max(axis=1).tolist()}

    def probe(self) -> Any:
        """See `LabelSpace.probe`."""
        raise ValueError("where an answer begins is no class that states are told apart by")

    def probe_logits(self, probe: Any, features: np.ndarray) -> np.ndarray:
        """As for `probe`."""
        raise ValueError("where an answer begins is no class that states are told apart by")

    # The data, and mistakes.

    def wrong_answers(
        self, targets: np.ndarray, logits: np.ndarray, records_of: RecordsOf, most: int
    ) -> list[WrongAnswer]:
        """The questions with the surest wrong answers; see `LabelSpace.wrong_answers`."""
        layout, found = SpanTargets(targets), self._found(targets, logits)
        given = self._given(found)
        exact = self._scored(targets, logits, given).of_each("exact_match")
        lacks = found.spans.null_margin > self._margin
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
