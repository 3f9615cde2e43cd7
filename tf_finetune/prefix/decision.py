"""Decides whether states are worth keeping, where and how exactly, and says why."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Place = Literal["memory", "disk"]
Mode = Literal["auto", "memory", "disk", "off"]


@dataclass(frozen=True)
class Measured:
    """What one pass over all examples that would be cached costs.

    Attributes:
        prefix_seconds: To run them through the prefix.
        read_seconds: To read their states instead.
        fill_seconds: To run them through what the fill needs: the prefix, or the layers above a
            shallower cache.
    """

    prefix_seconds: float
    read_seconds: float
    fill_seconds: float


@dataclass(frozen=True)
class Decision:
    """Where states are kept; None: they are computed anew in every pass.

    Attributes:
        place: In this process' memory, or in files.
        reason: One line for people.
    """

    place: Place | None
    reason: str


def choose_dtype(
    wanted: Literal["auto", "float32", "float16", "bfloat16"],
    computed: np.dtype,
    values: int,
    budget: int,
) -> np.dtype:
    """How states are stored.

    `auto` stores what is computed, which changes nothing, unless that fits nowhere and half as
    many bytes do.

    Args:
        wanted: `cache.dtype`.
        computed: Type of the states.
        values: Number of values.
        budget: Bytes that may be used in the roomiest place that counts.
    """
    if wanted != "auto":
        return dtype_named(wanted)
    half = dtype_named("float16")
    if values * half.itemsize <= budget < values * computed.itemsize:
        return half
    return computed


def choose_place(
    mode: Mode,
    needed: int,
    memory_budget: int,
    disk_budget: int,
    *,
    shared: bool,
) -> tuple[Place | None, str]:
    """Where so many bytes fit, and what to say about it.

    Args:
        mode: `cache.mode`, not off.
        needed: Bytes of the states.
        memory_budget: Bytes of memory that may be used.
        disk_budget: Bytes of disk that are free for it, after the least recently used is gone.
        shared: Whether other processes want the same states; memory is one process' own.
    """
    if mode != "disk" and needed <= memory_budget and not (shared and mode == "auto"):
        return "memory", f"in memory, {show_bytes(needed)}"
    if mode != "memory" and needed <= disk_budget:
        return "disk", f"on disk, {show_bytes(needed)}"
    budgets = {
        "memory": f"the memory budget of {show_bytes(memory_budget)}",
        "disk": f"the disk budget of {show_bytes(disk_budget)}",
        "auto": f"the budgets of {show_bytes(memory_budget)} in memory and "
        f"{show_bytes(disk_budget)} on disk",
    }
    counted = "disk" if shared and mode == "auto" else mode
    return None, f"they would take {show_bytes(needed)}, more than {budgets[counted]}"


def decide(place: Place, where: str, measured: Measured, passes: int) -> Decision:
    """Holds the cost of filling and reading against that of computing in every pass.

    Args:
        place: Where it would be kept.
        where: The same in words.
        measured: Seconds of one pass.
        passes: How often the examples will be read.
    """
    without = passes * measured.prefix_seconds
    with_cache = measured.fill_seconds + passes * measured.read_seconds
    times = (
        f"{passes} passes through the frozen layers would take {show_seconds(without)}, "
        f"one pass and {passes} readings {show_seconds(with_cache)}"
    )
    if with_cache < without:
        return Decision(place, f"{where}: {times}")
    return Decision(None, times)


def dtype_named(name: str) -> np.dtype:
    """The NumPy type, bfloat16 included, which NumPy itself lacks."""
    if name == "bfloat16":
        from ml_dtypes import bfloat16

        return np.dtype(bfloat16)
    return np.dtype(name)


def show_bytes(count: float) -> str:
    """A size for people, such as 1.5 GiB."""
    for unit in ("bytes", "KiB", "MiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def show_seconds(seconds: float) -> str:
    """A time for people."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
