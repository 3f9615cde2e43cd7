"""From sweeps to ratios, the tables and the sentences under them."""

import statistics
from collections.abc import Mapping
from typing import Any

from tools.benchmarks.program_run import ProgramRun
from tools.benchmarks.sweep_measurement import SweepMeasurement, TrialMeasurement
from tools.benchmarks.sweep_plan import OWN, SYSTEMS, THEIRS, SweepPlan, System
from tools.benchmarks.text_table import render_table

SweepRun = ProgramRun[SweepMeasurement]
# By the system's name, in the order of the table; entry i of each is repeat i.
SystemRuns = Mapping[str, list[SweepRun]]


def ratios(runs: SystemRuns) -> list[dict[str, Any]]:
    """Theirs over ours for each pair of systems: median and range over the quiet repeats."""
    found = []
    for ours in OWN:
        for theirs in THEIRS:
            pairs = list(zip(runs.get(theirs.name, []), runs.get(ours.name, []), strict=False))
            if not pairs:
                continue
            quiet = [
                their.measurement.sweep_seconds / our.measurement.sweep_seconds
                for their, our in pairs
                if not (their.disturbed or our.disturbed)
            ]
            found.append(
                {
                    "theirs": theirs.name,
                    "ours": ours.name,
                    "extrapolated": any(their.measurement.extrapolated for their, _ in pairs),
                    "repeats": len(pairs),
                    "quiet_repeats": len(quiet),
                    "median": statistics.median(quiet) if quiet else None,
                    "least": min(quiet, default=None),
                    "greatest": max(quiet, default=None),
                }
            )
    return found


def warnings_of(runs: SystemRuns, plan: SweepPlan) -> list[str]:
    """Everything that weakens the comparison, one sentence each."""
    found = differences(runs, plan)
    for name, of_system in runs.items():
        for i, run in enumerate(of_system, start=1):
            if run.disturbed:
                found.append(
                    f"{name}, run {i}: other processes took {run.foreign_load:.0%} of the cores; "
                    "it is left out of the ratios"
                )
            found += [
                f"{name}, run {i}: the trial k = {trial.frozen_depth}, lr "
                f"{trial.learning_rate:g} failed"
                for trial in run.measurement.trials
                if not trial.extrapolated and trial.validation_accuracy is None
            ]
    return list(dict.fromkeys(found))


def differences(runs: SystemRuns, plan: SweepPlan) -> list[str]:
    """Where a system did not do the work of the plan, or not the same as the others."""
    found = []
    expected: dict[int, int] = {}
    for name, of_system in runs.items():
        for run in of_system:
            sweep = run.measurement
            gives_up = name == "ours-levers"  # that is what it is for
            tried = sum(trial.stands_for for trial in sweep.trials)
            if not gives_up and (tried != len(plan.cells) or sweep.epochs != plan.epochs):
                found.append(
                    f"{name}: {tried} trials of {sweep.epochs} epochs, not {len(plan.cells)} of "
                    f"{plan.epochs}"
                )
            strange = sorted({trial.cell for trial in sweep.trials} - plan.cells)
            found += [f"{name}: tried k = {k}, lr {lr:g}, unplanned" for k, lr in strange]
            for trial in sweep.trials:
                trained = trial.trainable_parameters
                wanted = expected.setdefault(trial.frozen_depth, trained or 0)
                if trained is not None and trained != wanted:
                    found.append(
                        f"{name}: {trained} trained parameters at k = {trial.frozen_depth}, "
                        f"elsewhere {wanted}"
                    )
    return list(dict.fromkeys(found))


def render(runs: SystemRuns, plan: SweepPlan) -> str:
    """The tables of medians and a sentence for each ratio."""
    present = {SYSTEMS[name]: of_system for name, of_system in runs.items() if of_system}
    header = ["", "system", "runs", "sweep s", "range", "start s", "trials", "peak RSS"]
    rows = [[*header, "accuracy", "of"]]
    rows += [_row(system, of_system) for system, of_system in present.items()]
    lines = render_table(rows, left={0, 1, 9})
    lines += ["", "seconds at each depth, all trials together"]
    by_depth = [["", "system", *(f"k = {depth}" for depth in plan.depths)]]
    by_depth += [_depth_row(system, of_system, plan) for system, of_system in present.items()]
    lines += render_table(by_depth, left={0, 1})
    if any("*" in row[3] for row in rows):
        lines.append("* extrapolated from timed steps")
    if any("!" in row[3] for row in rows):
        lines.append("! other processes used the machine in some of these runs")
    lines += [_sentence(ratio) for ratio in ratios(runs)]
    return "\n".join(lines)


def _row(system: System, runs: list[SweepRun]) -> list[str]:
    """One line of the first table: medians over the runs."""
    measured = [run.measurement for run in runs]
    seconds = [m.sweep_seconds for m in measured]
    marks = "*" * any(m.extrapolated for m in measured) + "!" * any(r.disturbed for r in runs)
    answers = [m.answer for m in measured if m.answer is not None]
    scores = [a.validation_accuracy for a in answers if a.validation_accuracy is not None]
    kind = "recommended" if system.letter == "e" else "best"
    return [
        f"({system.letter})",
        system.name,
        str(len(runs)),
        f"{statistics.median(seconds):.0f}{marks}",
        f"{min(seconds):.0f}-{max(seconds):.0f}",
        f"{statistics.median(m.seconds_outside_trials for m in measured):.1f}",
        "/".join(dict.fromkeys(str(m.count) for m in measured)),
        f"{statistics.median(m.peak_rss_bytes for m in measured) / 2**20:.0f} MiB",
        f"{statistics.median(scores):.3f}" if scores else "-",
        f"{kind}: {'; '.join(dict.fromkeys(map(_cell, answers)))}" if answers else "",
    ]


def _cell(trial: TrialMeasurement) -> str:
    return f"k = {trial.frozen_depth}, lr {trial.learning_rate:g}"


def _depth_row(system: System, runs: list[SweepRun], plan: SweepPlan) -> list[str]:
    """One line of the second table: medians over the runs."""
    seconds = [
        statistics.median(run.measurement.seconds_at(depth) for run in runs)
        for depth in plan.depths
    ]
    return [f"({system.letter})", system.name, *(f"{value:.0f}" for value in seconds)]


def _sentence(ratio: dict[str, Any]) -> str:
    """One ratio in words."""
    theirs, ours = SYSTEMS[ratio["theirs"]], SYSTEMS[ratio["ours"]]
    name = f"({theirs.letter})/({ours.letter}) {theirs.name} over {ours.name}"
    if ratio["median"] is None:
        return (
            f"{name}: no ratio, because other processes used the machine in each of the "
            f"{ratio['repeats']} repeats"
        )
    note = ", extrapolated" if ratio["extrapolated"] else ""
    return (
        f"{name}: {ratio['median']:.2f} ({ratio['least']:.2f} to {ratio['greatest']:.2f} over "
        f"{ratio['quiet_repeats']} quiet of {ratio['repeats']} repeats{note})"
    )
