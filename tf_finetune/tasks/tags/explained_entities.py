"""Which entity of a text is explained, and by which outputs of which words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from tf_finetune.errors import UserError
from tf_finetune.sources.problems import show
from tf_finetune.sources.records import Record
from tf_finetune.tasks.questions import ChosenPart, Question
from tf_finetune.tasks.tags.tag_set import BEGIN, INSIDE, OUTSIDE, TagSet
from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.tasks.wrong_answers import Part


def entity_question(
    record: Record, part: Part, rows: Sequence[TaskRow], tags: TagSet
) -> Question | None:
    """The words of an entity and the tags that mark it: `B-` and its kind, then `I-`.

    They are asked in the row that answers the first of them; None if it reads none of them.

    Args:
        record: The text with its words.
        part: The entity; without a label, the words' being outside is asked about.
        rows: Of the text.
        tags: What the outputs mean.
    """
    inside = [
        place
        for place, (start, end) in enumerate(record.spans)
        if part.start <= start and end <= part.end
    ]
    if part.label:
        names, label = [BEGIN + part.label, *[INSIDE + part.label] * (len(inside) - 1)], part.words
    else:
        names, label = [OUTSIDE] * len(inside), f'no entity "{part.text}"'
    row = next(row for row in rows if row.words[0] <= inside[0] < row.words[1])
    first, after = (word - row.words[0] for word in (inside[0], inside[-1] + 1))
    asked = [
        (read, tags.names.index(name))
        for read, name in zip(row.reads[first:after], names, strict=False)
        if read >= 0
    ]
    if not asked:
        return None
    reads, outputs = zip(*asked, strict=True)
    return Question(row, reads, outputs, label)


def chosen_entity(
    record: Record,
    logits: np.ndarray,
    found: Sequence[Mapping[str, Any]],
    tags: TagSet,
    kind: str | None,
    number: int | None,
) -> ChosenPart:
    """The entity that is asked about, else the likeliest.

    Where none was found, the word that comes nearest to beginning one.

    Args:
        record: The text with its words.
        logits: Of its words, [w, T]; all zero of a word of which the model reads nothing.
        found: The entities that were found in it.
        tags: What the outputs mean.
        kind: Of which kind; None: of any.
        number: Which of the entities of the text, from 1; None: the likeliest.

    Raises:
        UserError: There are fewer entities, or nothing of the text is read.
    """
    of_kind = [one for one in found if kind in (None, one["label"])]
    if number is not None:
        if number > len(of_kind):
            what = "entities" if kind is None else f"entities of the kind {show(kind)}"
            raise UserError(
                f"--entity: received {number}, but in row {record.row}, {show(record.text)}, "
                f"{len(of_kind)} {what} were found; accepted: "
                + (f"1 to {len(of_kind)}" if of_kind else "a text with some, or no --entity")
            )
        return _of(of_kind[number - 1])
    if of_kind:
        return _of(max(of_kind, key=lambda one: one["probability"]))
    return _nearest(record, logits, tags, kind)


def _of(one: Mapping[str, Any]) -> ChosenPart:
    part = Part(one["start"], one["end"], one["label"], one["text"])
    return ChosenPart(part, one["probability"])


def _nearest(record: Record, logits: np.ndarray, tags: TagSet, kind: str | None) -> ChosenPart:
    begins = [
        place
        for place, name in enumerate(tags.names)
        if (name.startswith(BEGIN) if kind is None else name == BEGIN + kind)
    ]
    chances = special.softmax(logits.astype(np.float64), axis=-1)[:, begins]
    chances[~logits.any(axis=-1)] = 0.0
    if not chances.size or not chances.any():
        raise UserError(f"row {record.row}: of {show(record.text)} the model reads no word")
    word, tag = np.unravel_index(chances.argmax(), chances.shape)
    start, end = record.spans[word]
    label = tags.names[begins[tag]].removeprefix(BEGIN)
    part = Part(start, end, label, record.text[start:end])
    return ChosenPart(part, round(float(chances[word, tag]), 6))
