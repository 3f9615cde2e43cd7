"""The table of the inference suite and the sentences under it."""

import dataclasses
import statistics
from typing import Any

from tools.benchmarks.inference_measurement import InferenceMeasurement
from tools.benchmarks.program_run import ProgramRun
from tools.benchmarks.text_table import render_table

InferenceRun = ProgramRun[InferenceMeasurement]

PIPELINE = "pytorch-pipeline"
AIM = 4.0  # times the pipeline's throughput
ALLOWED_LOSS = 0.005  # of accuracy against the pipeline


def throughput(measured: InferenceMeasurement) -> float:
    """Texts a second, by the median pass."""
    return measured.texts / statistics.median(measured.pass_seconds)


def results(runs: dict[str, InferenceRun]) -> dict[str, Any]:
    """Everything measured so far, for the JSON report."""
    return {
        "runs": {
            name: {
                **dataclasses.asdict(run.measurement),
                "texts_per_second": throughput(run.measurement),
                "foreign_load": run.foreign_load,
                "disturbed": run.disturbed,
            }
            for name, run in runs.items()
        },
        "verdicts": verdicts(runs),
    }


def verdicts(runs: dict[str, InferenceRun]) -> list[str]:
    """One sentence a system: how it stands to the pipeline, and to the aim."""
    if PIPELINE not in runs:
        return []
    theirs = runs[PIPELINE].measurement
    found = []
    for name, run in runs.items():
        if name == PIPELINE:
            continue
        ratio = throughput(run.measurement) / throughput(theirs)
        gain = run.measurement.accuracy - theirs.accuracy
        reached = "reached" if ratio >= AIM and gain >= -ALLOWED_LOSS else "not reached"
        found.append(
            f"{name}: {ratio:.2f} times the pipeline's throughput, accuracy {gain:+.4f}; "
            f"the aim of {AIM:g} times within {ALLOWED_LOSS:g} is {reached}"
        )
    return found


def render(runs: dict[str, InferenceRun]) -> str:
    """The table and the verdicts."""
    rows = [["system", "texts/s", "range", "accuracy", "MiB", "peak RSS", "ready after"]]
    for name, run in runs.items():
        m = run.measurement
        rows.append(
            [
                name,
                f"{throughput(m):.0f}{'!' * run.disturbed}",
                f"{m.texts / max(m.pass_seconds):.0f}-{m.texts / min(m.pass_seconds):.0f}",
                f"{m.accuracy:.4f}",
                f"{m.size_bytes / 2**20:.1f}",
                f"{m.peak_rss_bytes / 2**20:.0f} MiB",
                f"{m.ready_seconds:.1f} s",
            ]
        )
    lines = render_table(rows, left={0})
    if any(run.disturbed for run in runs.values()):
        lines.append("! other processes used the machine in this run")
    return "\n".join([*lines, *verdicts(runs)])
