"""Mistakes in a configuration, each with its dotted path, place, value and what is accepted."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tf_finetune.config.accepted import accepted_at, choices_at
from tf_finetune.config.describe import option_names
from tf_finetune.config.nearest import nearest_options
from tf_finetune.errors import UserError
from tf_finetune.storage.yaml_document import ValuePath

COMMAND_LINE = "command line"
MAX_SHOWN = 20
_MAX_VALUE_CHARACTERS = 80


@dataclass(frozen=True)
class ValuePlace:
    """Where a value was given: a file's name or `COMMAND_LINE`, and a 1-based line."""

    source: str
    line: int | None = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


@dataclass(frozen=True)
class ConfigMistake:
    """One mistake; prints as `training.epochs (config.yaml:3): received 0; accepted: …`."""

    subject: str
    place: ValuePlace | None
    problem: str

    def __str__(self) -> str:
        place = "" if self.place is None else f" ({self.place})"
        return f"{self.subject}{place}: {self.problem}"


def as_user_error(mistakes: Iterable[ConfigMistake]) -> UserError:
    """Orders mistakes as the person will meet them: by line, then those on the command line."""
    ordered = sorted(mistakes, key=_reading_order)
    problems = [str(mistake) for mistake in ordered[:MAX_SHOWN]]
    if len(ordered) > MAX_SHOWN:
        more = len(ordered) - MAX_SHOWN
        problems.append(f"and {more} more ({len(ordered)} problems in all)")
    return UserError(problems)


def _reading_order(mistake: ConfigMistake) -> tuple[bool, int]:
    if mistake.place is None:
        return True, 0
    return mistake.place.source == COMMAND_LINE, mistake.place.line or 0


def wrong_value(path: ValuePath, place: ValuePlace | None, value: object) -> ConfigMistake:
    """A value that its option does not accept."""
    nearest = difflib.get_close_matches(str(value).lower(), choices_at(path), n=1)
    advice = f"nearest: {nearest[0]}; " if nearest else ""
    problem = f"received {shown(value)}; {advice}accepted: {accepted_at(path)}"
    return ConfigMistake(dotted(path), place, problem)


def unknown_option(name: str, place: ValuePlace | None) -> ConfigMistake:
    """A name that is no option, with the nearest that are."""
    section = name.split(".")[0]
    in_section = [
        known.removeprefix(f"{section}.")
        for known in option_names()
        if known.startswith(f"{section}.")
    ]
    if nearest := nearest_options(name):
        advice = f"nearest: {' or '.join(nearest)}"
    elif in_section:
        advice = f"accepted in {section}: {', '.join(in_section)}"
    else:
        advice = f"accepted sections: {', '.join(section_names())}"
    return ConfigMistake(name, place, f"unknown option; {advice}")


def unknown_section(name: str, place: ValuePlace | None) -> ConfigMistake:
    """A top-level key that is no section: a misspelt one, or an option without its section."""
    options = nearest_options(name)
    sections = difflib.get_close_matches(name.lower(), section_names(), n=1, cutoff=0.6)
    if options and not sections:
        return ConfigMistake(
            name, place, f"unknown section; nearest option: {' or '.join(options)}"
        )
    advice = f"nearest: {sections[0]}; " if sections else ""
    accepted = ", ".join(section_names())
    return ConfigMistake(name, place, f"unknown section; {advice}accepted: {accepted}")


def section_names() -> list[str]:
    """Returns the names of the sections in declared order."""
    return list(dict.fromkeys(name.split(".")[0] for name in option_names()))


def validation_mistakes(
    error: ValidationError, values: Mapping[str, Any], places: Mapping[ValuePath, ValuePlace | None]
) -> list[ConfigMistake]:
    """Says pydantic's errors in the words of the file.

    Args:
        error: What validation raised.
        values: The values that were validated, by section and option.
        places: Where each value was given, by path; a path without one has its parent's.

    Returns:
        One mistake a path. Where one alternative of a union accepts the kind of value but not
        a part of it, the part is named and the other alternatives are left out.
    """
    located = [(_value_path(details, values), details) for details in error.errors()]
    paths = {path for path, _ in located}
    mistakes: dict[ConfigMistake, None] = {}
    for path, details in located:
        if any(len(path) < len(other) and other[: len(path)] == path for other in paths):
            continue
        for mistake in _translate(path, details, values, places):
            mistakes[mistake] = None
    return list(mistakes)


def _translate(
    path: ValuePath,
    details: ErrorDetails,
    values: Mapping[str, Any],
    places: Mapping[ValuePath, ValuePlace | None],
) -> Iterator[ConfigMistake]:
    place = _place_of(path, places)
    kind = details["type"]
    if kind == "missing":
        yield ConfigMistake(dotted(path), place, f"missing; accepted: {accepted_at(path)}")
    elif kind == "extra_forbidden":
        known = accepted_at(path[:-1])
        yield ConfigMistake(dotted(path), place, f"unknown name; accepted: {known}")
    elif kind == "value_error" and len(path) < 2:
        # A check across options: each line of its message begins with an option's name.
        for line in str(details["ctx"]["error"]).splitlines():
            subject, _, problem = line.partition(": ")
            yield ConfigMistake(subject, _place_of(tuple(subject.split(".")), places), problem)
    elif kind == "value_error":
        problem = f"received {shown(_value_at(path, values))}; {details['ctx']['error']}"
        yield ConfigMistake(dotted(path), place, problem)
    else:
        yield wrong_value(path, place, _value_at(path, values))


def _value_path(details: ErrorDetails, values: Mapping[str, Any]) -> ValuePath:
    """Drops what pydantic adds to a path: names of a union's alternatives, `[key]`."""
    path: list[str | int] = []
    value: Any = values
    for key in details["loc"]:
        if _has(value, key):
            value = value[key]
        elif details["type"] != "missing":
            continue
        path.append(key)
    return tuple(path)


def _has(value: Any, key: str | int) -> bool:
    if isinstance(value, dict):
        return key in value
    return isinstance(value, list | tuple) and isinstance(key, int) and key < len(value)


def _value_at(path: ValuePath, values: Any) -> Any:
    for key in path:
        values = values[key]
    return values


def _place_of(path: ValuePath, places: Mapping[ValuePath, ValuePlace | None]) -> ValuePlace | None:
    for length in range(len(path), 0, -1):
        if path[:length] in places:
            return places[path[:length]]
    return None


def dotted(path: ValuePath) -> str:
    """Writes a path as `freeze.rules[0].train`; odd keys as `training.class_weights["a b"]`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif key.isidentifier():
            text += f".{key}" if text else key
        else:
            text += f"[{shown(key)}]"
    return text


def shown(value: object) -> str:
    """Writes a received value on one short line: words as they are, other text quoted."""
    if isinstance(value, str) and value.isprintable() and value and " " not in value:
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    if not text.isprintable():
        text = json.dumps(value, default=str)
    if len(text) > _MAX_VALUE_CHARACTERS:
        text = text[:_MAX_VALUE_CHARACTERS] + "…"
    return text
