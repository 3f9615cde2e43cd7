"""The table of executed steps, and what it says of cached states."""

from collections.abc import Iterable, Sequence
from typing import Any

Result = dict[str, Any]

_COLUMNS = f"{'depth':>5} {'reads':6} {'ms':>9} {'moving':>7} {'TFLOP/s':>8} {'of rate':>7} "
_COLUMNS += f"{'of roof':>7} {'MiB':>7} {'error':>8}"


def table_lines(results: Sequence[Result]) -> list[str]:
    """A block of rows for each encoder, precision and batch, by depth."""
    lines = [_COLUMNS]
    for (encoder, precision, batch, length), rows in _blocks(results):
        lines.append(f"{encoder}, {precision}, {batch} texts, rows of {length} tokens")
        lines += [_row(row) for row in sorted(rows, key=lambda r: (r["depth"], r["cached"]))]
    return lines


def verdict_lines(results: Sequence[Result]) -> list[str]:
    """From which depth on reading cached states is faster than computing them."""
    lines = []
    for (encoder, precision, batch, _), rows in _blocks(results):
        total = {(r["depth"], r["cached"]): r["seconds"] + r["moving_seconds"] for r in rows}
        both = sorted(depth for depth, cached in total if cached and (depth, False) in total)
        if not both:
            continue
        where = f"{encoder}, {precision}, {batch} texts:"
        pays = [depth for depth in both if total[depth, True] < total[depth, False]]
        first = next((d for d in both if all(e in pays for e in both if e >= d)), None)
        among = f"of depths {', '.join(map(str, both))}"
        if first is None:
            lines.append(f"{where} cached states beat computing them from no depth on, {among}")
            continue
        times = (f"{total[d, False] / total[d, True]:.2f}x at {d}" for d in both if d >= first)
        lines.append(
            f"{where} cached states beat computing them from depth {first} on, {among} "
            f"({', '.join(times)})"
        )
    return lines


def left_out_lines(left_out: dict[str, str]) -> list[str]:
    """Steps that were not executed, by reason."""
    reasons = dict.fromkeys(left_out.values())
    return [
        f"left out, {reason}: {', '.join(name for name, why in left_out.items() if why == reason)}"
        for reason in reasons
    ]


def _blocks(results: Iterable[Result]) -> Iterable[tuple[tuple[Any, ...], list[Result]]]:
    blocks: dict[tuple[Any, ...], list[Result]] = {}
    for found in results:
        names = ("encoder", "precision", "batch_size", "length")
        blocks.setdefault(tuple(found[name] for name in names), []).append(found)
    return sorted(blocks.items(), key=lambda block: tuple(map(str, block[0])))


def _row(found: Result) -> str:
    mark = "" if found["agrees"] else f"  DIFFERS (over {found['tolerance']:.0e})"
    return (
        f"{found['depth']:5} {'states' if found['cached'] else 'tokens':6} "
        f"{1000 * found['seconds']:9.2f} {1000 * found['moving_seconds']:7.2f} "
        f"{found['flops'] / found['seconds'] / 1e12:8.3f} {found['of_product_rate']:7.0%} "
        f"{found['of_roofline']:7.0%} {found['memory_bytes'] / 2**20:7.0f} "
        f"{max(found['errors'].values()):8.1e}{mark}"
    )
