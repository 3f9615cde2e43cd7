"""An answer as a person reads it at a terminal."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.cells import cell_len, set_cell_size

from tf_finetune.errors import visible
from tf_finetune.prediction.marked_up import marked_up
from tf_finetune.prediction.sureness import SURE
from tf_finetune.sources.records import Record
from tf_finetune.tasks.labels import LabelSpace

_LONGEST_LABEL = 24  # columns; longer names push their own text to the right
_SHORTEST_TEXT = 20

Answer = Mapping[str, Any]


def readable_lines(
    labels: LabelSpace, width: int, *, listed: bool, coloured: bool = False
) -> Callable[[Record, Answer], str]:
    """Makes what writes an answer: `pos  0.9812  a fine film`.

    Where an answer is parts of the text, they are marked in it, and it is not cut.

    Args:
        labels: What the answers mean.
        width: Columns of the terminal.
        listed: Whether all probabilities of the answer are listed, a line each below the text.
        coloured: Whether the terminal has colours.

    Returns:
        Gives the line, or the lines, for a text and its answer as `answers` has it.
    """
    column = min(_LONGEST_LABEL, max((cell_len(visible(name)) for name in labels.names), default=0))

    def line(record: Record, answer: Answer) -> str:
        if labels.answers_parts:
            parts = answer[labels.answer_key]
            names = labels.counted_names
            return marked_up(record.text, parts, names, coloured=coloured) + "\n"
        if listed:
            shares = _listed(answer)
            below = "".join(f"  {_padded(name, column)}  {share:.4f}\n" for name, share in shares)
            doubt = _doubt(answer)
            return f"{doubt}{_text(record, width - len(doubt))}\n{below}"
        what = _doubt(answer) + _said(answer, column)
        return f"{what}  {_text(record, width - cell_len(what) - 2)}\n"

    return line


def _doubt(answer: Answer) -> str:
    """What stands before an answer where some are marked: a question mark if it is not sure."""
    return "" if SURE not in answer else "  " if answer[SURE] else "? "


def _listed(answer: Answer) -> Iterable[tuple[str, float]]:
    if "probabilities" in answer:
        shares: Iterable[tuple[str, float]] = answer["probabilities"].items()
        return shares
    return ((one["text"], one["probability"]) for one in answer["answers"])


def _said(answer: Answer, column: int) -> str:
    if "answers" in answer:
        said = "no answer" if answer["answer"] is None else visible(answer["answer"])
        return f"{said}  {answer['probability']:.4f}"
    if "value" in answer:
        return f"{answer['value']:.6g}".rjust(12)
    if "labels" in answer:
        shares = answer["probabilities"]
        found = ", ".join(f"{visible(name)} {shares[name]:.4f}" for name in answer["labels"])
        return (found or "no label").ljust(column + 8)
    return f"{_padded(answer['label'], column)}  {answer['probabilities'][answer['label']]:.4f}"


def _padded(name: str, column: int) -> str:
    shown = visible(name)
    return shown + " " * (column - cell_len(shown))


def _text(record: Record, width: int) -> str:
    """A text, or both of a pair, in one line that is cut where the terminal ends."""
    texts = (record.text,) if record.text_pair is None else (record.text, record.text_pair)
    shown = " | ".join(visible(" ".join(text.split())) for text in texts)
    room = max(width, _SHORTEST_TEXT)
    return shown if cell_len(shown) <= room else f"{set_cell_size(shown, room - 1).rstrip()}…"
