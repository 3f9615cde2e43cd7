"""The sweep as a user of this project runs it: `trainers.search`, watched from outside.

The sweep ends with its last trial. `trainers.search` then goes on to train the chosen model
for good, which the other systems do not do; it is stopped there. Prints one JSON line
(`sweep_measurement.SweepMeasurement`); everything else goes to stderr.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from tf_finetune.config.loading import load_config
from tools.benchmarks import sweep_program
from tools.benchmarks.measurement import print_measurement
from tools.benchmarks.sweep_measurement import SweepMeasurement, TrialMeasurement

CONFIG = "configs/sst2_search.yaml"
BATCH_SIZE = 32
POLL_SECONDS = 0.5
SECONDS_TO_STOP = 60


class SearchFolder:
    """What a search leaves in its folder.

    Args:
        path: `run.dir` of the search.
    """

    def __init__(self, path: Path) -> None:
        self._journal = path / "journal.jsonl"
        self._chosen = path / "chosen.yaml"

    @property
    def trials_have_ended(self) -> bool:
        """Whether the answer stands; it is written when the last trial has ended."""
        return self._chosen.exists()

    @property
    def last_trial_ended_at(self) -> float:
        """`time.time()` then: nothing but trials is ever written to the journal."""
        return self._journal.stat().st_mtime

    @property
    def recommended(self) -> tuple[int, float | None]:
        """Depth and rate of the answer."""
        config = load_config(str(self._chosen))
        return config.freeze.depth, config.training.learning_rate

    def trials(self) -> tuple[TrialMeasurement, ...]:
        """The trials in the order in which they ended."""
        _, *lines = self._journal.read_text(encoding="utf-8").splitlines()
        return tuple(trial_of(json.loads(line)["record"]) for line in lines)


def trial_of(record: dict[str, Any]) -> TrialMeasurement:
    """One trial from its record in the journal."""
    request, result = record["request"], record["result"]
    return TrialMeasurement(
        frozen_depth=request["cell"]["frozen_depth"],
        learning_rate=request["cell"]["learning_rate"],
        epochs=request["epochs"],
        seconds=record["wall_seconds"],
        parts=None,
        trainable_parameters=result["trainable_parameters"],
        validation_accuracy=result["metrics"].get("accuracy"),
    )


def search_command(arguments: argparse.Namespace, folder: Path) -> list[str]:
    """The command, with fresh folders: tokenisation and caches count."""
    depths = ",".join(map(str, sorted(arguments.rates)))
    rates = sweep_program.format_rates(arguments.rates)
    overrides = [
        f"data.train={arguments.train}",
        f"data.validation={arguments.validation}",
        "data.test=null",
        "data.test_fraction=0",
        f"data.cache_dir={folder / 'cache'}",
        f"encoder.name={arguments.model_dir}",
        f"training.epochs={arguments.epochs}",
        f"training.batch_size={BATCH_SIZE}",
        f"search.depths={depths}",
        f"search.learning_rates_by_depth={rates}",
        f"search.seeds=[{arguments.seed}]",
        "search.first_answer=false",
        f"run.dir={folder / 'run'}",
        *arguments.overrides,
    ]
    return [sys.executable, "-m", "trainers.search", "--config", CONFIG, *overrides]


def run_search(command: list[str], folder: SearchFolder) -> int:
    """Runs the search to the end of its trials.

    Returns:
        The largest resident memory up to then, in bytes.
    """
    peak = 0
    process = subprocess.Popen(command, stdout=sys.stderr)
    try:
        while process.poll() is None and not folder.trials_have_ended:
            peak = max(peak, high_water_bytes(process.pid))
            time.sleep(POLL_SECONDS)
    finally:
        _stop(process)
    if not folder.trials_have_ended:
        sys.exit(f"trainers.search ended with exit code {process.returncode} and no answer")
    return peak


def high_water_bytes(pid: int) -> int:
    """The largest resident memory a process ever had; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Ends the search; nothing that it would still write is wanted."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main(argv: list[str] | None = None) -> None:
    """Runs the search and prints the measurement."""
    parser = sweep_program.sweep_parser(__doc__ or "")
    parser.add_argument("--overrides", nargs="*", default=[], help="further options of the search")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = SearchFolder(Path(name) / "run")
        peak = run_search(search_command(arguments, Path(name)), folder)
        trials = folder.trials()
        seconds = folder.last_trial_ended_at - arguments.started_at
        recommended = folder.recommended
    distributions = ("tensorflow", "tf-keras", "transformers", "keras-tuner")
    print_measurement(
        SweepMeasurement(
            versions={name: metadata.version(name) for name in distributions},
            padding="dynamic",
            batch_size=BATCH_SIZE,
            epochs=arguments.epochs,
            trials=trials,
            seconds_outside_trials=max(0.0, seconds - sum(trial.seconds for trial in trials)),
            sweep_seconds=seconds,
            peak_rss_bytes=peak,
            recommended=recommended,
        )
    )


if __name__ == "__main__":
    main()
