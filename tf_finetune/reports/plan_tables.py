"""A freeze plan and its price as tables for the console."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tf_finetune.console_tables import print_table
from tf_finetune.models.phases import PlannedPhase
from tf_finetune.plans.arithmetic import PlanCost
from tf_finetune.plans.freezing import FreezePlan, PlanRow
from tf_finetune.results.trial import exact_rate


def render_plan(console: Console, plan: FreezePlan) -> None:
    """Prints one line a layer: what it holds, what of it trains, and by which rule."""
    print_table(console, _plan_table(plan))


def plan_markdown(plan: FreezePlan) -> str:
    """The same table in Markdown, for TensorBoard."""
    lines = [
        "| " + " | ".join(_columns(plan)) + " |",
        "|---" + "|---:" * len(_numbers(plan)) + "|---|",
    ]
    lines += ["| " + " | ".join(line) + " |" for line in _plan_lines(plan)]
    return "\n".join(lines)


def _numbers(plan: FreezePlan) -> list[str]:
    """Columns of numbers; the rate is one where it is not the same for all that trains."""
    rates = set(plan.rate_factors.values())
    return ["parameters", "trained", *(["rate"] if rates != {1.0} else [])]


def _columns(plan: FreezePlan) -> list[str]:
    return ["place", *_numbers(plan), "by"]


def _rate(rows: Sequence[PlanRow]) -> str:
    """As a multiple of the run's; empty where nothing trains."""
    factors = dict.fromkeys(f"{row.rate_factor:.3g}x" for row in rows if row.trainable)
    return ", ".join(factors)


def _plan_table(plan: FreezePlan) -> Table:
    share = plan.trainable_count / plan.total_count
    table = Table(title=f"{plan.trainable_count:,} of {plan.total_count:,} train ({share:.1%})")
    numbers = _numbers(plan)
    for column in _columns(plan):
        table.add_column(column, justify="right" if column in numbers else "left")
    for line in _plan_lines(plan):
        table.add_row(*line, style="dim" if line[2] == "0" else "")
    return table


def _plan_lines(plan: FreezePlan) -> list[list[str]]:
    """Values of `_columns`, a line a place."""
    places: dict[str, list[PlanRow]] = {}
    for row in plan.rows:
        place = row.part if row.layer is None else f"layer {row.layer}"
        places.setdefault(place, []).append(row)
    lines = []
    for place, rows in places.items():
        rules = ", ".join(dict.fromkeys(row.rule for row in rows))
        trained = sum(row.count for row in rows if row.trainable)
        rate = [_rate(rows)] if "rate" in _numbers(plan) else []
        lines.append([place, f"{sum(row.count for row in rows):,}", f"{trained:,}", *rate, rules])
    return lines


def render_rows(console: Console, plan: FreezePlan) -> None:
    """Prints one line a variable."""
    table = Table("path", "part", "layer")
    table.add_column("parameters", justify="right")
    table.add_column("trained")
    rated = "rate" in _numbers(plan)
    if rated:
        table.add_column("rate", justify="right")
    table.add_column("by")
    for row in plan.rows:
        layer = "" if row.layer is None else str(row.layer)
        trained = ["yes" if row.trainable else "no", *([_rate([row])] if rated else [])]
        table.add_row(row.path, row.part, layer, f"{row.count:,}", *trained, row.rule)
    print_table(console, table)


def render_costs(
    console: Console,
    rows: Sequence[tuple[str, PlanCost]],
    *,
    batch_size: int,
    length: int,
    highlighted: str,
) -> None:
    """Prints what trains in each plan, and what a step then takes.

    Args:
        console: Where to print.
        rows: Name of each plan and its cost; the first is what the others are compared with.
        batch_size: Examples a step.
        length: Tokens an example.
        highlighted: Name of the plan that is configured.
    """
    parts = list(rows[0][1].trainable_by_part)
    trained = _cost_table("Trainable parameters", ["all", *(p.replace("_", " ") for p in parts)])
    step = _cost_table(
        f"One step of {batch_size} x {length} tokens, float32",
        ["gradients MiB", "optimiser MiB", "activations MiB", "GFLOPs", "of depth 0"],
    )
    cached = _cost_table(
        "With the prefix cache (cache.mode), after one pass through the frozen layers",
        ["KiB a text", "GFLOPs a step", "of depth 0"],
    )
    full = rows[0][1].step_flops
    for name, cost in rows:
        style = "bold" if name == highlighted else ""
        counts = [cost.trainable_by_part.get(part, 0) for part in parts]
        trained.add_row(name, f"{cost.trainable:,}", *map(_short, counts), style=style)
        memory = (cost.gradient_bytes, cost.optimizer_bytes, cost.activation_bytes)
        step.add_row(
            name,
            *(f"{count / 2**20:,.1f}" for count in memory),
            f"{cost.step_flops / 1e9:,.1f}",
            f"{cost.step_flops / full:.2f}",
            style=style,
        )
        if cost.state_bytes:
            flops = cost.cached_step_flops
            kib = f"{cost.state_bytes / 2**10:,.1f}"
            cached.add_row(name, kib, f"{flops / 1e9:,.2f}", f"{flops / full:.3f}", style=style)
    for table in (trained, step, cached):
        print_table(console, table)


def render_phases(
    console: Console,
    priced: Sequence[tuple[PlannedPhase, PlanCost]],
    *,
    batch_size: int,
    length: int,
) -> None:
    """Prints what trains in each phase of a run, and what they take together; nothing of one.

    Args:
        console: Where to print.
        priced: The phases, and the price of a step of each.
        batch_size: Examples a step.
        length: Tokens an example.
    """
    if len(priced) == 1:
        return
    table = _cost_table(
        f"Phases (freeze.thaw), GFLOPs of {batch_size} x {length} tokens over all epochs",
        ["depth", "rate", "trainable", "optimiser MiB", "uncached", "cached", "and to fill it"],
        first="epochs",
    )
    sums = [0.0, 0.0, 0.0]
    for phase, cost in priced:
        rate = phase.spec.config.training.learning_rate
        fills = cost.prefix_flops > 0
        flops = (
            phase.epochs * cost.step_flops,
            phase.epochs * cost.cached_step_flops,
            cost.prefix_flops,
        )
        sums = [total + more for total, more in zip(sums, flops, strict=True)]
        table.add_row(
            phase.words,
            str(phase.spec.plan.frozen_depth),
            "usual" if rate is None else exact_rate(rate),
            f"{cost.trainable:,}",
            f"{cost.optimizer_bytes / 2**20:,.1f}",
            *(f"{count / 1e9:,.2f}" for count in flops[:2]),
            f"{flops[2] / 1e9:,.2f}" if fills else "",
        )
    total = (f"{count / 1e9:,.2f}" for count in sums)
    table.add_row("all", "", "", "", "", *total, style="bold")
    print_table(console, table)


def _cost_table(title: str, columns: Sequence[str], *, first: str = "depth") -> Table:
    table = Table(title=title)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _short(count: int) -> str:
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)
