"""Answers and where they start, in the structures in which files keep them."""

from collections.abc import Sequence

from tf_finetune.sources.fields import is_absent
from tf_finetune.sources.places import whole_number
from tf_finetune.sources.structure_literals import parse_structure

_STARTS = ("answer_start", "start")


def answers_in(value: object) -> list[tuple[str, int]] | None:
    """Texts and starts of answers in any of the usual structures; None of anything else."""
    value = parse_structure(value)
    if isinstance(value, dict):
        texts, starts = value.get("text"), _first(value, _STARTS)
        if not isinstance(texts, list):
            return answer_at(texts, starts)
        if not isinstance(starts, list) or len(starts) != len(texts):
            return None
        value = [{"text": text, "start": at} for text, at in zip(texts, starts, strict=True)]
    if not isinstance(value, list):
        return None
    found: list[tuple[str, int]] = []
    for answer in value:
        text = answer.get("text") if isinstance(answer, dict) else None
        start = whole_number(_first(answer, _STARTS)) if isinstance(answer, dict) else None
        if not isinstance(text, str) or start is None:
            return None
        found.append((text, start))
    return found


def answer_at(text: object, start: object) -> list[tuple[str, int]] | None:
    """One answer; [] where neither text nor start is there."""
    at = whole_number(start)
    if is_absent(text):
        return [] if is_absent(start) or at == -1 else None
    return [(text, at)] if isinstance(text, str) and at is not None else None


def _first(value: dict[str, object], names: Sequence[str]) -> object:
    return next((value[name] for name in names if name in value), None)
