"""Lists that were written into one field of text, as pandas writes them into CSV files.

`['a', 'b']` and `('a', 'b')` of Python, `["a", "b"]` of JSON, `[0. 1. 0.]` and `array([0, 1])`
of numpy, `tensor([0, 1])` of PyTorch. What is in brackets without quotes and is no number is a
name: `[deleted]` is no list.
"""

import ast
import functools
import json
import re
import warnings

_QUOTED = r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' """
_BARE = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? | true|false|none|null|nan|<na>"
_ITEM = re.compile(rf"(?:{_QUOTED}|{_BARE})(?=[\s,]|$)", re.VERBOSE | re.ASCII | re.IGNORECASE)
_GAP = re.compile(r"\s*,\s*|\s+", re.ASCII)
_CALLED = re.compile(r"(?:array|tensor)\((\[.*\])(?:, dtype=[\w.]+)?\)", re.DOTALL)
_CLOSING = {"[": "]", "(": ")", "{": "}"}
_LONGEST_KEPT = 1024
_EMPTY = ("[]", "()", "set()")
_BOOLEANS = {"true": "1", "false": "0"}


def parse_list(text: str) -> tuple[str | None, ...] | None:
    """The items of a list that is written out.

    Args:
        text: A field, white space around it allowed.

    Returns:
        Its items: strings, numbers as they are written, 1 and 0 for true and false, and None for
        a missing one; or None if the field is no such list.
    """
    # Few different lists stand in many rows; long ones would fill the memory.
    return _parsed_once(text) if len(text) <= _LONGEST_KEPT else _parsed(text)


def _parsed(text: str) -> tuple[str | None, ...] | None:
    text = text.strip()
    called = _CALLED.fullmatch(text)
    if called:
        text = called[1]
    if text in _EMPTY:
        return ()
    if len(text) < 3 or _CLOSING.get(text[0]) != text[-1]:
        return None
    inside = text[1:-1].strip()
    # Python writes ('a',) for a tuple of one: ('a') and (1) are other things in brackets.
    if text[0] == "(" and "," not in inside:
        return None
    return _items(inside, spaced=text[0] == "[")


_parsed_once = functools.lru_cache(maxsize=1 << 14)(_parsed)


def _items(inside: str, *, spaced: bool) -> tuple[str | None, ...] | None:
    items: list[str | None] = []
    place = 0
    while place < len(inside):
        item = _ITEM.match(inside, place)
        if item is None:
            return None
        try:
            items.append(_value(item[0]))
        except (ValueError, SyntaxError):
            return None
        place = item.end()
        gap = _GAP.match(inside, place)
        if gap is None:
            break
        if "," not in gap[0] and not spaced:
            return None
        place = gap.end()
    return tuple(items) if items and place == len(inside) else None


def _value(item: str) -> str | None:
    if item[0] not in "\"'":
        word = item.lower()
        if word in _BOOLEANS:
            return _BOOLEANS[word]
        return None if word in ("none", "null", "nan", "<na>") else item
    if "\\" not in item:
        return item[1:-1]
    if item[0] == '"':
        try:
            return str(json.loads(item))
        except ValueError:
            pass  # Python's own escapes
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a backslash that escapes nothing
        return str(ast.literal_eval(item))
