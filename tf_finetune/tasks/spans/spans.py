"""Answers that are spans of a text: extractive question answering."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import BaseModel
from typing_extensions import Self  # of typing since Python 3.11

from tf_finetune.sources.problems import Problems
from tf_finetune.sources.records import Record
from tf_finetune.tasks.encoding import Written
from tf_finetune.tasks.questions import Asked, ChosenPart, Question, RowLogits
from tf_finetune.tasks.raw_labels import RawLabels
from tf_finetune.tasks.spans.answer_body import FoundAnswer
from tf_finetune.tasks.spans.answer_card import CARD_CODE
from tf_finetune.tasks.spans.answers_in_words import record_answers
from tf_finetune.tasks.spans.explained_answers import answer_question, asked_answer, given_answer
from tf_finetune.tasks.spans.scored_spans import ScoredSpans
from tf_finetune.tasks.spans.span_layout import SpanTargets, span_line, span_targets
from tf_finetune.tasks.spans.span_rows import span_rows
from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.tasks.wrong_answers import Part


@dataclass(frozen=True)
class Spans(ScoredSpans):
    """Where in a text the answer to a question begins and ends.

    A row is a question and a window of its context. Of it the first token is read, which stands
    for "no answer here", and every token of the context; the head says of each read how likely
    the answer begins there, and how likely it ends there. Targets of n rows are int32 [n, width],
    see `span_layout`; logits of a row stand read after read, float [n, r * 2]. Answers and scores
    are of examples, over all their windows.
    """

    task: ClassVar[str] = "span"
    read_as: ClassVar[Written] = "span"
    nouns: ClassVar[tuple[str, str]] = ("answer", "answers")
    answer_key: ClassVar[str] = "answer"
    answer_body: ClassVar[type[BaseModel]] = FoundAnswer
    # The library knows no other for a model that tells places apart; the folder names the task.
    problem_type: ClassVar[str] = "single_label_classification"
    answer_kind: ClassVar[str] = "the part of a text that answers a question"
    makes_rows: ClassVar[bool] = True
    library_class: ClassVar[str] = "ForQuestionAnswering"
    pipeline: ClassVar[str] = "question-answering"
    card_code: ClassVar[str] = CARD_CODE
    outputs_in_words: ClassVar[str] = (
        "The two outputs of each token are how likely the answer begins there, and how likely it "
        "ends there; those of the first token, that there is none."
    )
    reads_words: ClassVar[str] = (
        "0, for the first token, then where each token of the context stands, -1 behind the last"
    )
    long_texts: ClassVar[str] = (
        "the contexts of longer ones are read in windows that overlap by a quarter"
    )
    request_names: ClassVar[tuple[str, str]] = ("question", "context")
    sample: ClassVar[str] = "Where is Rome?"
    pair_sample: ClassVar[tuple[str, str]] = (sample, "Rome lies on the Tiber, in Italy.")
    listed_words: ClassVar[str] = "the likeliest spans (three if left out)"
    explains_parts: ClassVar[bool] = True
    unable: ClassVar[frozenset[str]] = frozenset({"profile", "rank", "keras", "check", "suspects"})

    rows = staticmethod(span_rows)

    @classmethod
    def purpose(cls, num_names: int) -> str:
        """See `LabelSpace.purpose`."""
        return "which part of a text answers a question about it"

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

    # Answers in words.

    def row_answers(
        self,
        records: Sequence[Record],
        rows: Sequence[TaskRow],
        logits: np.ndarray,
        top_k: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """See `LabelSpace.row_answers`, and `record_answers`."""
        yield from record_answers(
            records,
            rows,
            self.by_read(logits),
            top_k,
            may_lack=self.may_lack,
            margin=self.margin,
        )

    @property
    def lists_best(self) -> bool:
        """Spans that could be the answer; see `LabelSpace.lists_best`."""
        return True

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
        if self.may_lack:
            found.append(("no_answer_probability", pa.float64()))
        return tuple(found)

    def said(self, answer: Mapping[str, Any]) -> str | list[str]:
        """The text of the answer, or nothing; see `LabelSpace.said`."""
        text: str | None = answer[self.answer_key]
        return [] if text is None else text

    # Explanations.

    def chosen_part(
        self,
        record: Record,
        outputs: tuple[Sequence[TaskRow], np.ndarray],
        asked: Asked,
    ) -> ChosenPart:
        """See `LabelSpace.chosen_part`; the answer, or a text of the context."""
        rows, logits = outputs
        by_read = self.by_read(logits)
        if asked.text is not None:
            return asked_answer(record, rows, by_read, asked.text, may_lack=self.may_lack)
        (answer,) = self.row_answers([record], rows, logits, 1)
        return given_answer(answer)

    def question(
        self, record: Record, part: Part, rows: Sequence[TaskRow], logits_of: RowLogits
    ) -> Question | None:
        """See `LabelSpace.question`; a start and an end, in the window that decides."""
        return answer_question(part, rows, logits_of)
