"""The race against the grid on real data: scores of what each recommends, seconds and trials.

Each data set is searched by both. The best cell of each by its own account is trained and scored
on the test split, and so is the recommended one. Chinese titles want another encoder than MiniLM,
such as a folder of multilingual E5.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.benchmarks.data_sets import DATA_SETS, DataSet, add_data_options, run_command
from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import add_output_option, find_own_python, positive
from tools.benchmarks.text_table import render_table

_HEADER = [
    *("data", "seed", "by", "seconds", "trials", "best", "test", "recommended", "test"),
    *("loss said", "loss on test"),
]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    usual = ["sst2-2000", "sst2", "sst5-2000", "snips-1000", "stsb-2000"]
    add_data_options(parser, usual)
    parser.add_argument(
        "--seeds", type=positive, default=1, help="searches of each, by other seeds"
    )
    parser.add_argument("--depths", default="all", help="frozen depths (default: all)")
    parser.add_argument("--epochs", type=positive, default=3, help="epochs of a trial")
    add_output_option(parser)


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite; returns the exit code."""
    python = find_own_python(root)
    report = ReportFile("race", arguments, arguments.output, {})
    rows: list[dict[str, Any]] = []
    for name in arguments.sets:
        for seed in range(arguments.seeds):
            for oracle in ("grid", "race"):
                with tempfile.TemporaryDirectory(prefix="race-") as folder:
                    common = _options(DATA_SETS[name], arguments, seed)
                    found = _search(
                        [str(python), "-m", "trainers.search"], common, oracle, folder, root
                    )
                rows.append({"data": name, "seed": seed, "oracle": oracle} | found)
                report.write({"rows": rows})
                print("  ".join(_shown(rows[-1])), flush=True)
    print("\n".join(render_table([_HEADER, *map(_shown, rows)], left={0, 2, 5, 7})))
    print("\n".join(_sums(rows)))
    print(report.name_below(root))
    return 0


def _options(data: DataSet, arguments: argparse.Namespace, seed: int) -> list[str]:
    """Of both searches."""
    return [
        *data.options_in(arguments.data, arguments.texts, arguments.encoder),
        *(f"training.epochs={arguments.epochs}", f"search.depths={arguments.depths}"),
        f"search.seeds={2 * seed},{2 * seed + 1}",
        f"data.split_seed={seed}",
    ]


def _search(
    command: list[str], common: list[str], oracle: str, folder: str, root: Path
) -> dict[str, Any]:
    """Searches, and trains both what is best and what is recommended."""
    own = [*common, f"search.oracle={oracle}", f"data.cache_dir={folder}/tokens"]
    first, second = Path(folder) / "best", Path(folder) / "recommended"
    began = time.monotonic()
    run_command([*command, *own, "search.rule=best", f"run.dir={first}"], root)
    whole = time.monotonic() - began
    best = json.loads((first / "search.json").read_text())
    # The same trials, answered by the rule that is the default.
    second.mkdir()
    shutil.copy(first / "journal.jsonl", second)
    shutil.copytree(first / "trials", second / "trials")
    run_command([*command, *own, f"run.dir={second}"], root)
    recommended = json.loads((second / "search.json").read_text())
    loss = recommended["recommendation"]["loss"]
    tested = {"best": _tested(best), "recommended": _tested(recommended)}
    sign = 1.0 if best["recommendation"]["higher_is_better"] else -1.0
    return {
        "seconds": best["search_seconds"],
        "seconds_with_final_training": whole,
        "trials": len(best["trials"]),
        "cells": {name: found["chosen"]["cell"] for name, found in _both(best, recommended)},
        "tested": tested,
        "loss": loss,
        "loss_on_test": sign * (tested["best"] - tested["recommended"]),
        "chance_right": recommended["recommendation"]["chance_right"],
    }


def _both(
    best: Mapping[str, Any], recommended: Mapping[str, Any]
) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    return ("best", best), ("recommended", recommended)


def _tested(found: Mapping[str, Any]) -> float:
    """The test score of the model that a search ended with."""
    return float(found["chosen"]["scores"]["test"][found["metric"]]["value"])


def _shown(row: Mapping[str, Any]) -> list[str]:
    loss, cells = row["loss"], row["cells"]
    return [
        *(row["data"], str(row["seed"]), row["oracle"], f"{row['seconds']:,.0f}"),
        *(str(row["trials"]), _cell(cells["best"]), f"{row['tested']['best']:.4f}"),
        *(_cell(cells["recommended"]), f"{row['tested']['recommended']:.4f}"),
        f"{loss['low']:.4f} to {loss['high']:.4f}" if loss else "",
        f"{row['loss_on_test']:.4f}" if loss else "",
    ]


def _cell(cell: Mapping[str, Any]) -> str:
    rate = cell["learning_rate"]
    return f"{cell['frozen_depth']} {'exact' if rate is None else f'{rate:.1e}'}"


def _sums(rows: list[dict[str, Any]]) -> list[str]:
    """What the race takes of the grid's seconds, and how far apart their best cells are."""
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    share = statistics.fmean(race["seconds"] / grid["seconds"] for grid, race in pairs)
    apart = statistics.fmean(
        race["tested"]["best"] - grid["tested"]["best"] for grid, race in pairs
    )
    losses = [row for row in rows if row["loss"]]
    inside = sum(r["loss"]["low"] <= r["loss_on_test"] <= r["loss"]["high"] for r in losses)
    return [
        f"the race takes {share:.0%} of the grid's seconds",
        f"its best cells score {apart:+.4f} on test against those of the grid",
        f"{inside} of {len(losses)} losses on test lie in their intervals",
    ]
