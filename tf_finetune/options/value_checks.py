"""Checks of single values that a type and a range cannot express."""

import codecs
import re

from pydantic import ByteSize, TypeAdapter


def check_encoding(name: str) -> str:
    """Refuses a text encoding that Python does not know."""
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise ValueError(
            "accepted: an encoding of Python such as utf-8, latin-1, cp1252"
        ) from error
    return name


def check_pattern(pattern: str) -> str:
    """Refuses what is no regular expression."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{error}; accepted: a regular expression such as output/dense") from error
    return pattern


def check_layer_ranges(layers: str) -> str:
    """Refuses ranges such as "5-2", which would select nothing."""
    for part in layers.split(",") if layers != "all" else ():
        first, _, last = part.partition("-")
        if last and int(first) > int(last):
            raise ValueError(f"accepted: ranges that go upwards, such as {last}-{first}")
    return layers


def check_distinct(values: tuple[float, ...]) -> tuple[float, ...]:
    """Refuses a list that holds a value twice."""
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"accepted: different values, but {twice[0]:g} is there twice")
    return values


def check_upwards(ends: tuple[float, ...]) -> tuple[float, ...]:
    """Refuses a range whose low end is not below its high end."""
    low, high = ends
    if low >= high:
        raise ValueError("accepted: the lower and then the higher end of a range")
    return ends


def check_duration(text: str) -> str:
    """Refuses an empty duration and one of no length."""
    if not text or duration_seconds(text) == 0:
        raise ValueError("accepted: a time such as 90s, 20m or 1h30m")
    return text


def duration_seconds(text: str) -> int:
    """Seconds of a duration such as 1h30m."""
    seconds = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * seconds[unit] for number, unit in re.findall(r"(\d+)([hms])", text))


def check_size(text: str) -> str:
    """Refuses what is no number of bytes."""
    try:
        count = size_bytes(text)
    except ValueError:
        count = 0
    if count <= 0:
        raise ValueError("accepted: a size such as 500MB, 2GiB or 20G")
    return text


def size_bytes(text: str) -> int:
    """Bytes of a size such as 2GiB."""
    return int(TypeAdapter(ByteSize).validate_python(text))


def join_depths(depths: object) -> object:
    """Takes a list of depths, as YAML has it, for the text `0,2,4`."""
    if isinstance(depths, list | tuple):
        return ",".join(str(depth) for depth in depths)
    if isinstance(depths, str):
        return re.sub(r"\s", "", depths).removeprefix("[").removesuffix("]")
    return depths


def read_tab(separator: object) -> object:
    r"""Takes the two characters `\t` for a tab, which shells and plain YAML cannot write."""
    return "\t" if separator == r"\t" else separator
