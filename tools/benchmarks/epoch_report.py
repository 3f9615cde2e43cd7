"""From runs to ratios, the table and the sentences under it."""

import dataclasses
import statistics
from typing import Any

from tools.benchmarks.measurement import EpochMeasurement
from tools.benchmarks.program_run import ProgramRun
from tools.benchmarks.text_table import render_table

EpochRun = ProgramRun[EpochMeasurement]

# Fields in which both sides of a pair have to agree, or the ratio compares different work.
SAME_WORK = (
    "device",
    "threads",
    "frozen_depth",
    "trainable_parameters",
    "batch_size",
    "epochs",
    "steps_per_epoch",
)


@dataclasses.dataclass(frozen=True)
class DepthRuns:
    """All runs at one frozen depth, in the order they ran.

    Attributes:
        depth: Frozen depth k.
        pytorch: The loop with dynamic padding; entry i is the partner of `ours[i]`.
        ours: This project.
        fixed: The loop with every text padded to 128, if asked for.
    """

    depth: int
    pytorch: list[EpochRun] = dataclasses.field(default_factory=list)
    ours: list[EpochRun] = dataclasses.field(default_factory=list)
    fixed: list[EpochRun] = dataclasses.field(default_factory=list)

    def quiet_ratios(self) -> list[float]:
        """PyTorch's seconds over ours, one a pair in which nobody else used the machine."""
        return [
            theirs.measurement.seconds_per_epoch / ours.measurement.seconds_per_epoch
            for theirs, ours in zip(self.pytorch, self.ours, strict=False)
            if not (theirs.disturbed or ours.disturbed)
        ]

    def by_name(self) -> dict[str, list[EpochRun]]:
        """The runs by the name the table shows."""
        names = {"PyTorch, fixed 128": self.fixed, "PyTorch, dynamic": self.pytorch}
        return {name: runs for name, runs in {**names, "ours": self.ours}.items() if runs}


def differences(theirs: EpochMeasurement, ours: EpochMeasurement) -> list[str]:
    """Where the two sides of a pair did not do the same work."""
    return [
        f"k = {theirs.frozen_depth}, {field}: PyTorch {getattr(theirs, field)}, "
        f"ours {getattr(ours, field)}"
        for field in SAME_WORK
        if getattr(theirs, field) != getattr(ours, field)
    ]


def warnings_of(depths: list[DepthRuns]) -> list[str]:
    """Everything that weakens the comparison, one sentence each."""
    found: list[str] = []
    for runs in depths:
        for theirs, ours in zip(runs.pytorch, runs.ours, strict=False):
            found += differences(theirs.measurement, ours.measurement)
        for name, of_name in runs.by_name().items():
            found += [
                f"k = {runs.depth}, {name}, run {i}: other processes took "
                f"{run.foreign_load:.0%} of the cores; its pair is left out of the ratio"
                for i, run in enumerate(of_name, start=1)
                if run.disturbed
            ]
    return list(dict.fromkeys(found))


def same_work(depths: list[DepthRuns]) -> bool:
    """Whether both sides of every pair did the same work."""
    return not any(
        differences(theirs.measurement, ours.measurement)
        for runs in depths
        for theirs, ours in zip(runs.pytorch, runs.ours, strict=False)
    )


def ratios(depths: list[DepthRuns]) -> list[dict[str, Any]]:
    """Median, least and greatest ratio of each depth, over its quiet pairs."""
    found = []
    for runs in depths:
        quiet = runs.quiet_ratios()
        pairs = min(len(runs.pytorch), len(runs.ours))
        found.append(
            {
                "frozen_depth": runs.depth,
                "pairs": pairs,
                "quiet_pairs": len(quiet),
                "median": statistics.median(quiet) if quiet else None,
                "least": min(quiet, default=None),
                "greatest": max(quiet, default=None),
            }
        )
    return found


def render(depths: list[DepthRuns]) -> str:
    """The table of medians and a sentence for each ratio."""
    header = ["k", "system", "runs", "s/epoch", "range", "examples/s", "to first step", "peak RSS"]
    rows = [[*header, "accuracy"]]
    for runs in depths:
        rows += [_row(runs.depth, name, of_name) for name, of_name in runs.by_name().items()]
    lines = render_table(rows, left={1})
    if any("*" in line for line in lines):
        lines.append("* extrapolated from the first steps")
    if any("!" in line for line in lines):
        lines.append("! other processes used the machine in some of these runs")
    lines += [_fills(runs) for runs in depths if any(_fill_seconds(runs))]
    lines += [_sentence(ratio) for ratio in ratios(depths) if ratio["pairs"]]
    return "\n".join(lines)


def _row(depth: int, name: str, runs: list[EpochRun]) -> list[str]:
    """One line of the table: medians over the runs."""
    measured = [run.measurement for run in runs]
    seconds = [m.seconds_per_epoch for m in measured]
    marks = "*" * any(m.extrapolated for m in measured) + "!" * any(r.disturbed for r in runs)
    scores = [m.validation_accuracy for m in measured if m.validation_accuracy is not None]
    return [
        str(depth),
        name,
        str(len(runs)),
        f"{statistics.median(seconds):.1f}{marks}",
        f"{min(seconds):.1f}-{max(seconds):.1f}",
        f"{statistics.median(m.examples_per_second for m in measured):.0f}",
        f"{statistics.median(m.seconds_to_first_step for m in measured):.1f} s",
        f"{statistics.median(m.peak_rss_bytes for m in measured) / 2**20:.0f} MiB",
        f"{statistics.median(scores):.3f}" if scores else "-",
    ]


def _fill_seconds(runs: DepthRuns) -> list[float]:
    return [run.measurement.fill_seconds for run in runs.ours]


def _fills(runs: DepthRuns) -> str:
    """What the cache cost, which is in the seconds of the table."""
    cached = sum(run.measurement.cached for run in runs.ours)
    epochs = runs.ours[0].measurement.epochs
    return (
        f"k = {runs.depth}, ours: frozen layers cached in {cached} of {len(runs.ours)} runs; "
        f"{statistics.median(_fill_seconds(runs)):.1f} s for that in {epochs} epoch(s), included"
    )


def _sentence(ratio: dict[str, Any]) -> str:
    """The ratio of one depth in words."""
    if ratio["median"] is None:
        return (
            f"k = {ratio['frozen_depth']}: no ratio, because other processes used the machine "
            f"in each of the {ratio['pairs']} pairs"
        )
    return (
        f"k = {ratio['frozen_depth']}: an epoch takes PyTorch (dynamic padding) "
        f"{ratio['median']:.2f} times as long as ours "
        f"({ratio['least']:.2f} to {ratio['greatest']:.2f} over {ratio['quiet_pairs']} quiet "
        f"of {ratio['pairs']} pairs)"
    )
