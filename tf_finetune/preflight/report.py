"""Tables, JSON and a figure of what the compiler said."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tf_finetune.console_tables import print_table
from tf_finetune.errors import visible
from tf_finetune.preflight.cells import ChipCell, Job, Runs, devices_of_chip
from tf_finetune.preflight.chips import Chip
from tf_finetune.preflight.estimates import (
    ASSUMPTION_OF_A_PASS,
    ASSUMPTIONS,
    device_limit,
    estimate_step,
    largest_batch,
)
from tf_finetune.preflight.figure import preflight_figure
from tf_finetune.reports.figures import png_bytes
from tf_finetune.storage.files import write_atomically, write_json

_GIB = 2**30
_MEMORY = ("depth", "batch", "fits", "GiB", "of all", "args", "temps", "program", "took")
_TIME = ("depth", "batch", "GFLOPs", "GB moved", "step", "waits for", "job")


def render_cells(console: Console, job: Job, cells: Sequence[ChipCell], examples: int) -> None:
    """Prints two tables a chip, the largest batch of every depth, and what all of it assumes."""
    for chip in dict.fromkeys(cell.chip for cell in cells):
        of_chip = [cell for cell in cells if cell.chip == chip]
        print_table(console, _memory_table(job, chip, of_chip))
        for cell in of_chip:
            if cell.answer.failed:
                where = f"depth {cell.depth}, batch {cell.batch_size:,}"
                console.print(
                    Text(visible(f"{where} failed: {cell.answer.error}")), highlight=False
                )
        for line in (*_pass_lines(of_chip), *_largest_lines(job, chip, of_chip)):
            console.print(line, highlight=False)
        print_table(console, _time_table(job, chip, of_chip, examples))
    for batch_size, runs in dict.fromkeys((cell.batch_size, cell.runs) for cell in cells):
        console.print(_shape_line(job, batch_size, runs), highlight=False)
    console.print("Nothing was run on a TPU. Times are estimates:", highlight=False)
    for line in assumptions(cells):
        console.print(f"- {line}", highlight=False)


def write_report(folder: Path, job: Job, cells: Sequence[ChipCell], examples: int) -> list[Path]:
    """Writes preflight.json and preflight.png; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "preflight.json", folder / "preflight.png"]
    write_json(paths[0], report_content(job, cells, examples))
    write_atomically(paths[1], png_bytes(preflight_figure(cells, job.length)))
    return paths


def report_content(job: Job, cells: Sequence[ChipCell], examples: int) -> dict[str, Any]:
    """All figures, in bytes, FLOPs and seconds."""
    return {
        "encoder": job.files.name,
        "length": job.length,
        "padding": job.padding,
        "mean_tokens": job.mean_tokens,
        "devices": job.devices,
        "precision": job.config.training.precision,
        "examples": examples,
        "epochs": job.config.training.epochs,
        "chips": [asdict(chip) for chip in dict.fromkeys(cell.chip for cell in cells)],
        "cells": [_cell_content(job, cell, examples) for cell in cells],
        "assumptions_of_estimates": assumptions(cells),
    }


def assumptions(cells: Sequence[ChipCell]) -> list[str]:
    """What all estimates assume."""
    passes = [ASSUMPTION_OF_A_PASS] if any(cell.runs == "pass" for cell in cells) else []
    return [*ASSUMPTIONS, *passes]


def _job_seconds(job: Job, cell: ChipCell, examples: int) -> float:
    epochs = 1 if cell.runs == "pass" else job.config.training.epochs
    return estimate_step(cell.answer, cell.chip).job_seconds(examples, cell.batch_size, epochs)


def _cell_content(job: Job, cell: ChipCell, examples: int) -> dict[str, Any]:
    content: dict[str, Any] = {
        "chip": cell.chip.name,
        "depth": cell.depth,
        "batch_size": cell.batch_size,
        "runs": cell.runs,
        "shape": asdict(job.shape(cell.batch_size, cell.runs)),
        "fits": None if cell.answer.failed else cell.answer.compiles,
        **asdict(cell.answer),
    }
    if cell.answer.compiles:
        estimate = estimate_step(cell.answer, cell.chip)
        content |= {
            "device_bytes": cell.answer.device_bytes,
            "estimated_step_seconds": estimate.seconds,
            "estimated_bound": estimate.bound,
            "estimated_job_seconds": _job_seconds(job, cell, examples),
        }
    return content


def _shape_line(job: Job, batch_size: int, runs: Runs) -> str:
    shape = job.shape(batch_size, runs)
    rows = f"{shape.rows:,} rows of {shape.length} tokens a device"
    if shape.texts_a_row is None:
        of_a_pass = " of a pass" if runs == "pass" else ""
        return f"batch {batch_size:,}{of_a_pass}: {rows}, a text each"
    return (
        f"batch {batch_size:,}, packed: {rows}, up to {shape.texts_a_row} texts each, as texts of "
        f"{job.mean_tokens} tokens on average need (--mean-tokens)"
    )


def _memory_table(job: Job, chip: Chip, cells: Sequence[ChipCell]) -> Table:
    devices = devices_of_chip(cells)
    limit = device_limit(chip, devices)
    one_of = f", one of the chip's {devices} devices" if devices > 1 else ""
    table = _blank_table(
        f"{chip.name}: {job.length} tokens a row, {job.config.training.precision}; GiB of the "
        f"{limit / _GIB:.1f} of a device{one_of}",
        _MEMORY,
    )
    for cell in cells:
        answer = cell.answer
        took = "kept" if cell.remembered else f"{answer.seconds:.0f} s"
        start = [cell.depth_text, f"{cell.batch_size:,}"]
        if answer.failed:
            table.add_row(*start, "failed", "", "", "", "", "", took)
            continue
        if not answer.compiles:
            needed = f"{(answer.needed_bytes or 0) / _GIB:.1f}"
            table.add_row(*start, "no", f"over {needed}", "", "", "", "", took)
            continue
        parts = (answer.memory[name] for name in ("arguments", "temporaries", "program"))
        table.add_row(
            *start,
            "yes" if answer.device_bytes <= limit else "barely",
            f"{answer.device_bytes / _GIB:.2f}",
            f"{answer.device_bytes / limit:.1%}",
            *(f"{count / _GIB:.2f}" for count in parts),
            took,
        )
    return table


def _time_table(job: Job, chip: Chip, cells: Sequence[ChipCell], examples: int) -> Table:
    epochs = job.config.training.epochs
    table = _blank_table(
        f"{chip.name}: estimated times; job: {examples:,} examples, {epochs} epochs", _TIME
    )
    for cell in cells:
        if not cell.answer.compiles:
            continue
        estimate = estimate_step(cell.answer, cell.chip)
        table.add_row(
            cell.depth_text,
            f"{cell.batch_size:,}",
            f"{cell.answer.flops / 1e9:,.0f}",
            f"{cell.answer.bytes_accessed / 1e9:,.2f}",
            f"{1000 * estimate.seconds:.2f} ms",
            estimate.bound,
            f"{_job_seconds(job, cell, examples):,.1f} s",
        )
    return table


def _blank_table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _pass_lines(cells: Sequence[ChipCell]) -> list[str]:
    depths = dict.fromkeys(cell.depth for cell in cells if cell.runs == "pass")
    return [
        f"depth {depth}: nothing but the head trains, which is solved exactly: a pass over the "
        "texts fills the cache, and no step is run (training.solver=steps prices steps)"
        for depth in depths
    ]


def _largest_lines(job: Job, chip: Chip, cells: Sequence[ChipCell]) -> list[str]:
    """What fits at most, with how that is known."""
    lines = []
    for depth in dict.fromkeys(cell.depth for cell in cells):
        fitting = [c for c in cells if c.depth == depth and c.answer.compiles]
        too_large = [c.batch_size for c in cells if c.depth == depth and c.answer.out_of_memory]
        points = [(c.batch_size // job.devices, float(c.answer.device_bytes)) for c in fitting]
        if not fitting:
            what = "none of these batches fits" if too_large else "no answer"
            lines.append(f"depth {depth}: {what}")
            continue
        rows = largest_batch(points, device_limit(chip, devices_of_chip(cells)))
        compiled = max(c.batch_size for c in fitting)
        text = f"depth {depth}: {compiled:,} compiles"
        if too_large:
            text += f", {min(too_large):,} does not fit"
        if rows is not None:
            text += (
                f"; by a line through the measured batches, about {rows * job.devices:,} "
                "would fill the memory (not compiled)"
            )
        lines.append(text)
    return lines
