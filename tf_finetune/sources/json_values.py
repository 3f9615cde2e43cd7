"""JSON values one after the other, as a stream: a value in memory at a time."""

import functools
import json
from collections.abc import Iterator
from typing import Any

from tf_finetune.sources.problems import Problems
from tf_finetune.sources.text_lines import LINE_LIMIT

DOCUMENT_LIMIT = LINE_LIMIT  # characters of a value that has to be held as a whole
_SPACE = " \t\r\n"
# As far from the end may the parser stop where only characters are missing: -Infinity, \ud83d.
_CUT = 12


@functools.cache
def decoder() -> json.JSONDecoder:
    """A decoder that gives objects as dictionaries, and raises where one says a name twice."""
    return json.JSONDecoder(object_pairs_hook=_object)


def stream_values(parts: Iterator[str], name: str, problems: Problems) -> Iterator[tuple[int, Any]]:
    """The elements of an array, or values that follow each other, with their numbers from 1.

    Args:
        parts: The characters, in parts of any length.
        name: What to call the source in messages.
        problems: Gets what is wrong, which ends the reading: nobody knows where the next value
            begins behind one that is broken.
    """
    text = _Text(parts, name, problems)
    array = text.next() == "["
    if array:
        text.skip()
    end = "]" if array else ""
    while text.next() != end:
        yield text.count + 1, text.value()
        if array and text.next() == ",":
            text.skip()
            if text.next() == "]":
                text.stop("a comma before the end of the array")
        elif array and text.next() != "]":
            text.stop("',' or ']' is missing after the object" if text.next() else "is cut short")
    if array:
        text.skip()
        if text.next():
            text.stop("the array ends, and something follows")


class _Text:
    """The part of a file that is being parsed."""

    def __init__(self, parts: Iterator[str], name: str, problems: Problems):
        self._parts, self._name, self._problems = parts, name, problems
        self._buffer, self._place, self._ended = "", 0, False
        self.count = 0

    def next(self) -> str:
        """The next character that is no white space, which stays; "" at the end."""
        while True:
            while self._place < len(self._buffer):
                if self._buffer[self._place] not in _SPACE:
                    return self._buffer[self._place]
                self._place += 1
            if not self._grow(1):
                return ""

    def skip(self) -> None:
        """Goes past one character."""
        self._place += 1

    def value(self) -> Any:
        """Parses the next value."""
        while True:
            try:
                value, self._place = decoder().raw_decode(self._buffer, self._place)
                self.count += 1
                return value
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos >= len(self._buffer) - _CUT
                if not cut or not self._grow(len(self._buffer) - self._place):
                    self.stop(f"not valid JSON: {error.msg}")
            except (ValueError, RecursionError) as error:
                self.stop(f"not valid JSON: {error}")

    def stop(self, fault: str) -> None:
        """Raises what is wrong with the value being read, or behind the last.

        Raises:
            UserError: Always.
        """
        self._problems.stop(
            f"{self._name}, row {self.count + 1}: {fault}; accepted: an array of objects, or one "
            "object a line"
        )

    def _grow(self, least: int) -> bool:
        """Reads on, about as much as there is, so that a long value is not parsed too often."""
        if self._ended:
            return False
        parts = [self._buffer[self._place :]]
        size, wanted = len(parts[0]), len(parts[0]) + max(least, 1 << 16)
        while size < wanted:
            part = next(self._parts, "")
            if not part:
                self._ended = True
                break
            parts.append(part)
            size += len(part)
        if len(parts[0]) > DOCUMENT_LIMIT:
            self.stop(f"has more than {DOCUMENT_LIMIT:,} characters")
        grown = len(parts) > 1
        self._buffer, self._place = "".join(parts), 0
        return grown


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that says every name once: json would silently keep the last."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise ValueError(f"the name {name!r} occurs more than once")
        values[name] = value
    return values
