"""Reads checks from YAML: the packaged ones, and those of a file of the user's.

A mistake is told with its file, line and field, what was received and what is accepted; all
mistakes of a file at once.
"""

import difflib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from tf_finetune.robustness.check_fields import (
    CHANGES,
    COMMON,
    OF_KIND,
    FieldError,
    one_of,
    share,
    text,
    yes_or_no,
)
from tf_finetune.robustness.checks import DIRECTION_TOLERANCE, EXPECTED, KINDS, Check, Checks
from tf_finetune.robustness.known_texts import texts_of
from tf_finetune.robustness.word_lists import WordList, words_in_rotation
from tf_finetune.sources.problems import Problems, show
from tf_finetune.storage.yaml_document import Document, DocumentError, parse_document, read_document

_TOP = ("lists", "checks", "slices")
_PACKAGED = "checks.yaml"


def load_checks(path: str | None) -> Checks:
    """The packaged checks, with those of a file.

    Args:
        path: The user's file; None: the packaged ones alone.

    Raises:
        UserError: The file cannot be read, or something in it is wrong.
    """
    problems = Problems()
    packaged = resources.files("tf_finetune.robustness").joinpath(_PACKAGED)
    reading = _Reading(problems)
    reading.add(_PACKAGED, parse_document(packaged.read_text(encoding="utf-8")), own=False)
    if path is not None:
        reading.add(path, _document(path, problems), own=True)
    checks = reading.checks()
    problems.check()
    return checks


def _document(path: str, problems: Problems) -> Document:
    try:
        return read_document(Path(path).expanduser())
    except OSError as error:
        problems.stop(f"{path}: cannot be read: {error.strerror or error}; accepted: a YAML file")
    except DocumentError as error:
        where = "" if error.line is None else f", line {error.line}"
        problems.stop(f"{path}{where}: {error.problem}")


class _Reading:
    """Puts files together, one after the other.

    Args:
        problems: Gets what is wrong with them.
    """

    def __init__(self, problems: Problems):
        self._problems = problems
        self._lists: dict[str, WordList] = {}
        self._written: dict[str, tuple[str, Any, bool]] = {}  # place, fields, of the user's
        self._slices: dict[str, str] = {}

    def add(self, name: str, document: Document, *, own: bool) -> None:
        """Takes what stands in a file.

        Args:
            name: Of the file.
            document: Its content.
            own: Whether it is the user's.
        """
        for path, line, first in document.duplicates:
            self._add(f"{name}, line {line}", f"{path[-1]}: given again after line {first}")
        content = document.value
        if not isinstance(content, dict):
            self._wrong(f"{name}, line 1", "", content, f"a mapping with {', '.join(_TOP)}")
            return

        def place(*path: str | int) -> str:
            return f"{name}, line {document.lines.get(path, 1)}"

        for key in content:
            if key not in _TOP:
                self._add(place(key), f"{key}: unknown{_nearest(key, _TOP)}")
        for key, words in self._mapping(content, "lists", place("lists")).items():
            self._add_list(key, words, place("lists", key))
        for key, fields in self._mapping(content, "checks", place("checks")).items():
            self._written[key] = (place("checks", key), fields, own)
        slices = content.get("slices") or []
        if not isinstance(slices, list) or not all(isinstance(one, str) for one in slices):
            self._wrong(place("slices"), "slices", slices, "a list of columns of the data")
            return
        self._slices |= {one: place("slices", n) for n, one in enumerate(slices)}

    def checks(self) -> Checks:
        """All of them."""
        found = []
        for name, (place, fields, own) in self._written.items():
            if fields is None:
                continue
            try:
                found.append(self._check(name, place if own else "", fields))
            except FieldError as error:
                self._wrong(place, f"{name}.{error.field}", error.received, error.accepted)
        return Checks(tuple(found), tuple(self._slices), tuple(self._slices.values()))

    def _check(self, name: str, place: str, fields: Any) -> Check:
        if not isinstance(fields, dict):
            raise FieldError("kind", fields, f"a mapping with kind: {', '.join(KINDS)}; or null")
        kind = one_of(fields, "kind", tuple(KINDS))
        takes = (*COMMON, *OF_KIND[kind])
        change = None
        if "change" in takes:
            form = CHANGES[one_of(fields, "change", tuple(CHANGES))]
            takes += form.fields
        for field in fields:
            if field not in takes:
                accepted = f"{', '.join(takes)}, for {kind}"
                raise FieldError(field, fields[field], accepted)
        if "change" in takes:
            change = form.build(fields, self._lists)
        expect = one_of(fields, "expect", tuple(EXPECTED)) if "expect" in takes else None
        return Check(
            name,
            kind,  # type: ignore[arg-type]
            place,
            change,
            column=text(fields, "column") if "column" in fields else None,
            expect=expect,  # type: ignore[arg-type]
            label=_label(fields),
            tolerance=share(fields, "tolerance", DIRECTION_TOLERANCE),
            texts=texts_of(fields, self._lists) if kind == "minimum_function" else (),
            decides=yes_or_no(fields, "decides", default=True),
            about=text(fields, "about") if "about" in fields else "",
        )

    def _add_list(self, name: str, words: Any, place: str) -> None:
        pairs = words if isinstance(words, dict) else None
        listed = list(pairs.items()) if pairs is not None else words
        flat = [one for pair in listed for one in pair] if pairs else listed
        if not isinstance(flat, list) or not all(isinstance(w, str) and w.strip() for w in flat):
            self._wrong(place, name, words, "a list of words, or a mapping from words to words")
            return
        fewest = 1 if pairs is not None else 2
        before = self._lists.get(name)
        if before is not None and (before.pairs is None) != (pairs is None):
            kind = "a list of words" if before.pairs is None else "a mapping from words to words"
            self._wrong(place, name, words, f"{kind}, as the one of this name that it adds to")
            return
        if len(listed) < (1 if before else fewest):
            accepted = "at least 1 word to add" if before else f"at least {fewest} words"
            self._wrong(place, name, words, accepted)
            return
        if pairs is not None:
            old = {} if before is None else before.pairs or {}
            self._lists[name] = WordList(pairs={**old, **pairs})
        else:
            self._lists[name] = words_in_rotation([*(before.words if before else ()), *flat])

    def _mapping(self, content: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
        found = content.get(key) or {}
        if isinstance(found, dict):
            return found
        self._wrong(place, key, found, f"a mapping from names to {key}")
        return {}

    def _wrong(self, place: str, field: str, received: object, accepted: str) -> None:
        said = "nothing" if received is None else show(received)
        self._add(place, f"{field}: received {said}; accepted: {accepted}".removeprefix(": "))

    def _add(self, place: str, what: str) -> None:
        self._problems.add(f"{place}: {what}")


def _label(fields: Mapping[str, Any]) -> str | tuple[str, ...] | None:
    label = fields.get("label")
    if label is None or isinstance(label, str):
        return label
    if isinstance(label, list) and all(isinstance(one, str) for one in label):
        return tuple(label)
    raise FieldError("label", label, "a label, or a list of them")


def _nearest(word: str, accepted: Iterable[str]) -> str:
    accepted = list(accepted)
    nearest = difflib.get_close_matches(word, accepted, n=1)
    return f"; nearest: {nearest[0]}" if nearest else f"; accepted: {', '.join(accepted)}"
