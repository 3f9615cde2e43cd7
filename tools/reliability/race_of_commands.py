"""Pairs of one command in one folder: one ends at once, the other is killed, the next goes on."""

import hashlib
import random
import shutil
import socket
import time
from pathlib import Path

from tools.reliability.forked import Forked, import_everything
from tools.reliability.killing import ChaosError
from tools.reliability.race_of_files import MOST_APART, Race

_OPTIONS = {
    "run": ("freeze.depth=2", "training.learning_rate=0.01", "training.epochs=4"),
    "search": (
        *("search.depths=2,3", "search.learning_rates=[1e-2]", "search.seeds=[0]"),
        "search.first_answer=false",
    ),
}
_SHARED = (
    *("training.batch_size=8", "training.checkpoint_seconds=0", "encoder.dropout=0.1"),
    *("run.tensorboard=false", "evaluation.baselines=false"),
)
_GIVE_UP_AFTER = 60.0


class CommandRaces:
    """Races for the folder of a run or a search.

    Args:
        folder: For all of its files.
        kind: "run" or "search".

    Attributes:
        finished: Winners that came to their end before they were killed.
    """

    def __init__(self, folder: Path, kind: str):
        import_everything()
        from tools.reliability.tiny_job import data_arguments
        from trainers import search, train

        self._is_search = kind == "search"
        self._main = search.main if self._is_search else train.main
        self._options = [*data_arguments(folder), *_SHARED, *_OPTIONS[kind]]
        self._folder = folder
        self._starts = 0
        self.finished = 0
        whole = self._start("whole")
        if whole.wait() != 0:
            raise ChaosError(whole.output)
        self._seconds = whole.processor_seconds
        self._expected = self._weights("whole")

    def race(self, draws: random.Random) -> Race:
        """Two starts in one folder; kills the one that is left, unless it comes to its end."""
        first = self._start("raced")
        time.sleep(draws.uniform(0.0, MOST_APART))
        second = self._start("raced")
        loser, winner = _first_to_end(first, second)
        found = Race(time.monotonic() - second.began)
        there = f"in use by process {winner.pid} on {socket.gethostname()}"
        if loser.poll() != 2 or there not in loser.output:
            found.problems.append(f"exit code {loser.poll()}: {loser.output[-500:]}")
        stop_at = draws.uniform(0.0, 1.2 * self._seconds)
        while (code := winner.poll()) is None and winner.processor_seconds < stop_at:
            time.sleep(0.005)
        if code is None:
            winner.kill()
        elif code != 0:
            found.problems.append(f"the first ended with {code}: {winner.output[-500:]}")
        if code == 0 or self._is_finished():
            self.finished += 1
            if self._weights("raced") != self._expected:
                found.problems.append("other weights than those of an undisturbed run")
            shutil.rmtree(self._folder / "raced")
            shutil.rmtree(self._folder / "raced-cache")
        return found

    def _start(self, name: str) -> Forked:
        self._starts += 1
        cache, run = self._folder / f"{name}-cache", self._folder / name
        options = [*self._options, f"data.cache_dir={cache}", f"run.dir={run}"]
        return Forked(self._main, options, self._folder / f"{self._starts}.log")

    def _is_finished(self) -> bool:
        """Whether the raced folder is finished; a kill may have come between that and the exit."""
        from tf_finetune.searches.running.directory import SearchDirectory
        from tf_finetune.storage.run_directory import RunDirectory

        kind = SearchDirectory if self._is_search else RunDirectory
        return kind(self._folder / "raced").is_finished

    def _weights(self, name: str) -> str:
        content = (self._folder / name / "model" / "model.safetensors").read_bytes()
        return hashlib.sha256(content).hexdigest()


def _first_to_end(*processes: Forked) -> tuple[Forked, Forked]:
    """The process that ends first, and the other."""
    one, other = processes
    until = time.monotonic() + _GIVE_UP_AFTER
    while time.monotonic() < until:
        if one.wait(0.002) is not None:
            return one, other
        if other.wait(0.002) is not None:
            return other, one
    for process in processes:
        process.kill()
    raise ChaosError(f"two writers at once for {_GIVE_UP_AFTER:g} s:\n{one.output}\n{other.output}")
