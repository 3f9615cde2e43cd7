"""Numbers as people read them; one way for each kind of quantity."""

import math
from decimal import Decimal

NOTHING = "–"
_LARGE = ((10**9, "G"), (10**6, "M"), (10**3, "k"))


def score(value: float | None) -> str:
    """A score or a loss: `0.883`, `12.35`, `1,234`."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.5g}"


def rate(value: float | None) -> str:
    """A learning rate to three digits: `3e-4`, `1.5e-5`, `0.05`; `exact` for a head without."""
    if value is None:
        return "exact"
    if value >= 0.01:
        return f"{value:.3g}"
    _, digits, exponent = Decimal(f"{value:.2e}").normalize().as_tuple()
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    return f"{first}{'.' if rest else ''}{rest}e{int(exponent) + len(rest)}"


def count(value: float | None) -> str:
    """A large number in three digits: `22.7 M`; below ten thousand in full."""
    if value is None:
        return NOTHING
    if value < 10_000:
        return f"{value:,.0f}"
    rounded = float(f"{value:.3g}")
    size, unit = next(found for found in _LARGE if rounded >= found[0])
    return f"{rounded / size:.3g} {unit}"


def seconds(value: float | None) -> str:
    """A time: `0.31 s`, `28 s`, `3 min 20 s`, `2 h 05 min`."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value < 100:
        return f"{value:.2g} s" if value < 9.95 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def clock(value: float) -> str:
    """A time in minutes and seconds, short enough to stand on an axis: `3:48`, `124:05`."""
    return f"{round(value) // 60}:{round(value) % 60:02}"


def memory(value: float | None) -> str:
    """Bytes in binary units: `812 MiB`, `1.42 GiB`."""
    if value is None:
        return NOTHING
    for size, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if value >= size:
            return (
                f"{value / size:,.3g} {unit}"
                if value < 1000 * size
                else f"{value / size:,.0f} {unit}"
            )
    return f"{value:,.0f} B"


def multiple(value: float | None) -> str:
    """A ratio: `0.29×`."""
    return NOTHING if value is None else f"{value:.2f}×"


def percent(value: float | None) -> str:
    """A share: `12.3 %`."""
    return NOTHING if value is None else f"{100 * value:.1f} %"


def whole_percent(value: float | None) -> str:
    """A share that is no more exact than that: `12 %`."""
    return NOTHING if value is None else f"{100 * value:.0f} %"


def p_value(value: float | None) -> str:
    """A p-value: `0.012`, `< 0.001`."""
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def plain_seconds(value: float | None) -> str:
    """Seconds without their unit, to compare down a column: `0.31`, `70.2`, `1,203`."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


def signed(value: float) -> str:
    """A contribution to two digits, its sign always there: `+1.2`, `−0.034`, `+1,203`."""
    size = abs(value)
    if not size:
        return "0"
    digits = f"{size:,.0f}" if size >= 10 else f"{size:.2g}" if size >= 0.001 else f"{size:.0e}"
    return ("+" if value > 0 else "−") + digits
