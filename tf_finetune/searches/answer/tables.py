"""The answer of a search on the console."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tf_finetune.console_tables import print_table
from tf_finetune.methods.settings import setting_of
from tf_finetune.results.recommendation import DepthResult, Recommendation
from tf_finetune.results.trial import exact_rate
from tf_finetune.searches.running.live import duration

_LONG_NAME = 16  # characters of a method's setting that stand in a table
_WHOLE_SECONDS = 1000  # from here on an epoch's time is in minutes and hours


def render_recommendation(console: Console, found: Recommendation, notes: Sequence[str]) -> None:
    """Prints the table of the depths, the answer, the alternatives and what to know."""
    print_table(console, depth_table(found))
    for name, method in short_names(found.methods).items():
        console.print(Text(f"{name}: {method.partition(' ')[2]}"), soft_wrap=True)
    console.print(Text(found.sentence, style="bold"), soft_wrap=not console.is_terminal)
    for line in [*found.alternatives, *found.notes, *notes]:
        console.print(Text(f"- {line}"), soft_wrap=not console.is_terminal)


def depth_table(found: Recommendation) -> Table:
    """One row a depth: best rate, score with interval, what trains, and the price.

    Time, memory and, where they differ, the work of an answer are relative to the least frozen
    depth of the whole encoder.
    """
    table = Table(
        title=f"Best cell of each frozen depth (of {found.num_layers} layers)",
        box=box.SIMPLE,
        padding=(0, 1, 0, 0),
    )
    names = ("depth", "rate", found.metric, f"{found.confidence:.0%} interval", "seeds", "trains")
    answers = ("answer",) if found.answers_differ else ()
    for name in (*names, "epoch", "time", "memory", *answers):
        table.add_column(name, justify="right", no_wrap=True)
    short = {method: name for name, method in short_names(found.methods).items()}
    for result in found.depths:
        recommended = result.place == found.recommended_place
        method = result.place.method_name
        row = _row(result, short.get(method, method), recommended)
        if answers:
            row.append(_share(result.relative_answer))
        table.add_row(*map(Text, row), style="bold" if recommended else "")
    return table


def short_names(methods: Sequence[str]) -> dict[str, str]:
    """Names for the settings of methods that are too long for a table, and what they stand for.

    Args:
        methods: Exact texts of settings.

    Returns:
        By name the setting: `lora`, or where others are called alike `lora 1`, `lora 2`.
    """
    found = [setting_of(text) for text in methods]
    named: dict[str, str] = {}
    for method in found:
        alike = [other.setting for other in found if other.name == method.name]
        if len(method.setting) > _LONG_NAME:
            number = f" {alike.index(method.setting) + 1}" if len(alike) > 1 else ""
            named[f"{method.name}{number}"] = method.setting
    return named


def _row(result: DepthResult, method: str, recommended: bool) -> list[str]:
    seconds = result.seconds_per_epoch
    place = ", ".join(filter(None, (result.cell.depth_words, method)))
    return [
        f"{'> ' if recommended else ''}{place}",
        exact_rate(result.cell.learning_rate),
        f"{result.score:.3f}",
        f"{result.low:.3f} to {result.high:.3f}",
        "any" if result.cell.is_solved else str(len(result.seeds)),
        short_count(result.trainable_parameters),
        _epoch_time(seconds),
        *map(_share, (result.relative_time, result.relative_memory)),
    ]


def _epoch_time(seconds: float) -> str:
    """As a number alone, which is short and compares at a glance."""
    if seconds >= _WHOLE_SECONDS:
        return duration(seconds)
    return f"{seconds:.{1 if seconds < 10 else 0}f} s"


def _share(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.0%}"


def short_count(count: int) -> str:
    """A number of parameters as people say it: 22.7M."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)
