"""From a context and its choices to the row that a model reads: the texts of all choices."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from tf_finetune.errors import UserError
from tf_finetune.sources.records import Record
from tf_finetune.tasks.questions import ReadText
from tf_finetune.tasks.task_rows import TaskRow

# The least of a text, between its marks.
_FEWEST_TOKENS = 8


def choice_rows(records: Sequence[Record], backend: Any, max_length: int) -> Iterator[TaskRow]:
    """A row for each example: a text for each of its choices, one after the other.

    The text of a choice is a pair: the context, and the second text with the choice behind it, or
    the choice alone (as in the library's own examples for SWAG, R. Zellers et al. 2018). Each may
    take an equal share of the row; where a pair is longer, the longer of its texts is cut.

    Args:
        records: Examples with choices.
        backend: A fast tokenizer's; it neither pads nor cuts.
        max_length: Tokens of a row at most.

    Raises:
        UserError: The row has no room for so many choices.
    """
    cutting = copy.deepcopy(backend)
    marks = backend.num_special_tokens_to_add(True)
    for example, record in enumerate(records):
        if len(record.choices) < 2:
            raise UserError(
                f"row {record.row}: received {len(record.choices)} choices; accepted: an example "
                "with at least 2, each in a column of its own or all in a list"
            )
        room = max_length // len(record.choices)
        if room < marks + _FEWEST_TOKENS:
            raise UserError(
                f"data.max_length: received {max_length} for all {len(record.choices)} choices of "
                f"an example; accepted: at least {len(record.choices) * (marks + _FEWEST_TOKENS)}"
            )
        cutting.enable_truncation(room, strategy="longest_first")
        texts = [record.text, *(before_choice(record) + choice for choice in record.choices)]
        context, *seconds = backend.encode_batch(texts, add_special_tokens=False)
        ids: list[int] = []
        types: list[int] = []
        starts, firsts, whole = [], [], 0
        for second in seconds:
            found = cutting.post_process(context, second)
            starts.append(len(ids))
            firsts.append(found.type_ids.index(1) if 1 in found.type_ids else len(found.ids))
            ids, types = ids + found.ids, types + found.type_ids
            whole += len(context) + len(second) + marks
        end = len(record.text)
        cut = whole - len(ids)
        yield TaskRow(example, ids, starts, (0, 0), 0, end, types=types, cut=cut, firsts=firsts)


def before_choice(record: Record) -> str:
    """What the second text of every choice begins with."""
    return "" if record.text_pair is None else f"{record.text_pair} "


def texts_of_choices(record: Record, max_length: int) -> list[ReadText]:
    """The text of each choice, as `choice_rows` has it.

    Args:
        record: An example with choices.
        max_length: Tokens of a row at most.
    """
    before, room = before_choice(record), max_length // len(record.choices)
    return [ReadText(record.text, before + choice, len(before), room) for choice in record.choices]
