"""Reads what is to be explained, and how exactly, from the flags of a command."""

import math

from tf_finetune.errors import UserError
from tf_finetune.evaluation.explanation.precision import Precision
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.questions import Asked

_MOST_STEPS = 65_536


def asked_of(
    labels: LabelSpace,
    *,
    label: str | None = None,
    entity: int | None = None,
    answer: str | None = None,
    flags: tuple[str, str, str] = ("--label", "--entity", "--answer"),
) -> Asked:
    """What of each text is to be explained; each None for its likeliest.

    Args:
        labels: What the model's outputs mean.
        label: A label, or a kind of entity.
        entity: Which of a text's entities, from 1.
        answer: A text of the context of a question; "" for no answer.
        flags: What the three are called, for messages.

    Raises:
        UserError: The model has no such label, or answers with something else; all are listed.
    """
    problems = []
    names, kind = labels.counted_names, labels.answer_kind
    if label is not None and label not in names:
        shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        accepted = f"; accepted: {shown}" if names else f", but this model predicts {kind}"
        problems.append(f"{flags[0]}: received {label!r}{accepted}")
    if entity is not None and not labels.answers_parts:
        problems.append(f"{flags[1]}: received {entity}, but this model predicts {kind}")
    if answer is not None and (labels.answers_parts or not labels.explains_parts):
        problems.append(f"{flags[2]}: received {answer!r}, but this model predicts {kind}")
    if problems:
        raise UserError(problems)
    return Asked(label, entity, answer)


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
