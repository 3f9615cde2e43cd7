"""A text that is to be labelled, and why, as a row of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tf_finetune.options.data import DataConfig
from tf_finetune.ranking.choosing import Choice
from tf_finetune.ranking.request import Request
from tf_finetune.sources.records import Record
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.wrong_answers import Part

ROW, SCORE, PREDICTED, REASON = OWN_COLUMNS = ("row", "score", "predicted", "reason")
_SEPARATOR = ", "


@dataclass(frozen=True)
class RankedText:
    """What to label, and why.

    Attributes:
        record: The text.
        score: See `Choice`.
        predicted: What the model answers: a name, names, a number, or parts of the text.
        reason: Why it was chosen, in words.
    """

    record: Record
    score: float
    predicted: str | float
    reason: str

    def to_row(self, columns: Sequence[str]) -> dict[str, Any]:
        """By column: the row it stood in, its texts, the score, the answer and the reason.

        Args:
            columns: Of its texts, from `text_columns`.
        """
        record = self.record
        texts = [t for t in (record.text, record.text_pair, *record.choices) if t is not None]
        return {
            ROW: record.row,
            **dict(zip(columns, texts, strict=True)),
            SCORE: round(self.score, 6),
            PREDICTED: self.predicted,
            REASON: self.reason,
        }


def ranked_text(choice: Choice, labels: LabelSpace, request: Request) -> RankedText:
    """Puts a choice into words."""
    outputs = choice.candidate.outputs
    (answer,) = outputs.answers(labels)
    measure = request.measure(labels)
    reasons = []
    if choice.stands_for is not None:
        like, of = choice.stands_for
        looked_at = "doubtful texts" if measure else "texts drawn at random"
        reasons.append(f"stands for {like:,} of {of:,} {looked_at}")
    if measure is not None:
        reasons.append(
            labels.doubt_in_words(measure, choice.candidate.record, outputs.rows, outputs.logits)
        )
    return RankedText(
        choice.candidate.record,
        choice.score,
        _said(answer, labels.answer_key),
        "; ".join(reasons),
    )


def text_columns(data: DataConfig, record: Record) -> list[str]:
    """What the columns of a record's texts are called: as where they were read.

    Where that is no name, or one of `OWN_COLUMNS`, or another form of source was read, as the
    attributes of a record.
    """
    usual = ["text", *(["text_pair"] if record.text_pair is not None else [])]
    usual += [f"choice{number}" for number in range(len(record.choices))]
    named = [data.text_column, *([data.text_pair_column] if record.text_pair is not None else [])]
    named += [*(data.choice_columns or ())][: len(record.choices)]
    if len(named) != len(usual):
        return usual
    found = [
        own if name is None or name.isdecimal() or name in OWN_COLUMNS else name
        for own, name in zip(usual, named, strict=True)
    ]
    return found if len({*found}) == len(found) else usual


def _said(answer: Mapping[str, Any], key: str) -> str | float:
    found = answer[key]
    if isinstance(found, str | float):
        return found
    if isinstance(found, int):
        return str(found)
    parts = [
        one if isinstance(one, str) else Part(one["start"], one["end"], one["label"], one["text"])
        for one in found
    ]
    return _SEPARATOR.join(one if isinstance(one, str) else one.words for one in parts)
