"""What spells a number: one rule for guesses about the task, for classes and for targets.

A number is digits of any script, perhaps with a sign, a decimal mark, an exponent, marks
between its thousands, or a percent sign, which makes hundredths of it. It is one decimal mark
for all labels of a source: the comma if they are numbers only with that.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

DecimalMark = Literal["point", "comma"]

_NUMBER = re.compile(
    r"""(?P<sign>[+-]?)
    (?P<whole>\d+ | [1-9]\d{0,2}(?P<between>[,'\u2019\u00a0\u2009\u202f])\d{3}
        (?:(?P=between)\d{3})* | (?=\.\d))
    (?:\.(?P<decimals>\d*))?
    (?P<exponent>[eE][+-]?\d+)?
    (?:[ \u00a0\u202f]?(?P<percent>%))?""",
    re.ASCII | re.VERBOSE,
)
_USUAL = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)  # as programs write them: the quick way
_PADDED = re.compile(r"\s*[+-]?0\d", re.ASCII)
_PUNCTUATION = str.maketrans("－−＋％٪．，", "--+%%.,")
_ARABIC = str.maketrans("٫٬", ".,")  # its own decimal mark and mark of thousands
_SWAPPED = str.maketrans(".,", ",.")
_MOST_DIGITS = 300  # Python refuses thousands of them, float the sizes above
_INFINITE = ("inf", "infinity")
_MISSING = frozenset(
    ("", "nan", "-nan", "null", "none", "na", "n/a", "#n/a", "<na>", "\\n")  # \N is MySQL's
)


def is_missing(label: str) -> bool:
    """Whether programs write this for a value that is not there, such as nan, null or NA."""
    return label.strip().casefold() in _MISSING


def as_number(label: str, mark: DecimalMark = "point") -> float | None:
    """The number that a label spells, infinity included; None if it spells none."""
    if mark == "point" and _USUAL.fullmatch(label):
        return float(label)
    match = _match(label, mark)
    if match is None:
        infinite = label.lstrip("+-").casefold() in _INFINITE
        return float(label) if infinite else None
    number = float(_plain(match))
    return number / 100 if match["percent"] else number


def as_integer(label: str, mark: DecimalMark = "point") -> int | None:
    """The integer that a label spells, as 3, 3.0 or 1,234; None if it spells none.

    None for 007, which is a code: its zeros must stay.
    """
    match = _match(label, mark)
    if match is None or match["exponent"] or match["percent"]:
        return None
    whole = _whole(match)
    if (
        (match["decimals"] or "").strip("0")
        or not whole
        or len(whole) > _MOST_DIGITS
        or _is_padded(match)
    ):
        return None
    return int(match["sign"] + whole)


def as_flag(label: str) -> bool | None:
    """Whether a label says yes (1, 1.0, true) or no (0, 0.0, false); None if neither."""
    if label in ("0", "1"):  # the quick way
        return label == "1"
    word = label.strip().casefold()
    if word in ("true", "false"):
        return word == "true"
    integer = as_integer(word)
    return bool(integer) if integer in (0, 1) else None


def canonical(label: str, mark: DecimalMark = "point") -> str:
    """A label that spells a number in its plainest form, as 3 for 3.0 or for ３; else the label.

    Zeros at the end of other decimals stay, as 1.10 may be a code.
    """
    integer = as_integer(label, mark)
    if integer is not None:
        return str(integer)
    match = _match(label, mark)
    return label if match is None else _plain(match) + (match["percent"] or "")


def decimal_mark_of(labels: Sequence[str]) -> DecimalMark | None:
    """The decimal mark with which all labels are numbers, the point first; None if neither."""
    marks: tuple[DecimalMark, ...] = ("point", "comma")
    for mark in marks:
        if all(as_number(label, mark) is not None for label in labels):
            return mark
    return None


def padded_number(labels: Iterable[str], mark: DecimalMark) -> str | None:
    """A number that begins with a needless zero, as codes do (007); None if there is none."""
    for label in labels:
        if label.isascii() and not _PADDED.match(label):  # the quick way
            continue
        match = _match(label, mark)
        if match and _is_padded(match):
            return label
    return None


def numbered_like_sections(labels: Iterable[str], mark: DecimalMark) -> str | None:
    """A label such as 1.10 beside 1.9; None if there is none.

    Numbers are written without zeros at the end, or all with as many decimals.
    """
    decimals = {}
    for label in labels:
        match = _match(label, mark)
        if match and match["decimals"] and not match["exponent"] and not match["percent"]:
            decimals[label] = match["decimals"]
    if len(set(map(len, decimals.values()))) < 2:
        return None
    return next((at for at, end in decimals.items() if end[-1] == "0" and end.strip("0")), None)


def _match(label: str, mark: DecimalMark) -> re.Match[str] | None:
    label = label.strip()
    foreign = not label.isascii()
    if foreign:
        label = "".join(_ascii_digit(character) for character in label).translate(_PUNCTUATION)
    if mark == "comma":
        label = label.translate(_SWAPPED)
    return _NUMBER.fullmatch(label.translate(_ARABIC) if foreign else label)


def _ascii_digit(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def _whole(match: re.Match[str]) -> str:
    return match["whole"].replace(match["between"] or ",", "")


def _is_padded(match: re.Match[str]) -> bool:
    return len(match["whole"]) > 1 and match["whole"][0] == "0"


def _plain(match: re.Match[str]) -> str:
    """The number as Python writes it, without a percent sign."""
    sign = "-" if match["sign"] == "-" else ""
    decimals = f".{match['decimals']}" if match["decimals"] else ""
    return f"{sign}{_whole(match) or '0'}{decimals}{match['exponent'] or ''}"
