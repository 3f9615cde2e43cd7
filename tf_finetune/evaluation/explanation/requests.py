"""Reads what is to be explained, and how exactly, from the flags of a command."""

import math

from tf_finetune.errors import UserError
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.tasks.labels import LabelSpace

_MOST_STEPS = 65_536


def check_label(name: str | None, labels: LabelSpace) -> str | None:
    """Reads the flag --label: the label to explain, or None for each text's own.

    Raises:
        UserError: The model has no such label.
    """
    names = labels.counted_names
    if name is None or name in names:
        return name
    if not names:
        raise UserError(f"--label: received {name!r}, but this model predicts a number")
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    raise UserError(f"--label: received {name!r}; accepted: {shown}")


def check_entity(number: int | None, labels: LabelSpace) -> int | None:
    """Reads the flag --entity: which of a text's entities to explain, None for the likeliest.

    Raises:
        UserError: The model does not answer with parts of texts.
    """
    if number is not None and not labels.answers_parts:
        raise UserError(f"--entity: received {number}, but this model predicts {_said(labels)}")
    return number


def _said(labels: LabelSpace) -> str:
    return labels.answer_kind if labels.names else "a number"


def check_precision(steps: int, most_steps: int, tolerance: str) -> Precision:
    """Reads the flags --steps, --max-steps and --tolerance.

    Raises:
        UserError: One is out of its range; all are listed.
    """
    problems = []
    for flag, value in (("--steps", steps), ("--max-steps", most_steps)):
        if value > _MOST_STEPS:
            problems.append(f"{flag}: received {value}; accepted: 1 to {_MOST_STEPS}")
    if steps > most_steps:
        problems.append(f"--max-steps: received {most_steps}; accepted: at least --steps, {steps}")
    share = _number(tolerance)
    if not 0.0 < share < 1.0:  # NaN too
        problems.append(f"--tolerance: received {tolerance!r}; accepted: between 0 and 1")
    if problems:
        raise UserError(problems)
    return Precision(steps, most_steps, share)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
