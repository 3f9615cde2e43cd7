"""What more texts cost: time, disk and memory of a cached run, for growing numbers of texts.

One epoch of a narrow encoder (hidden 64, 3 layers, random weights) frozen at 2 layers, its
states kept on disk. The texts are repeated and perturbed. What is shown is the whole command:
reading, tokenising, filling the cache, training, scoring and saving. Memory is the process'
own, sampled; mapped files are not counted. Linux only.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tools.benchmarks.report_file import ReportFile
from tools.benchmarks.suite_inputs import add_output_option, find_own_python, positive
from tools.benchmarks.text_table import render_table
from tools.benchmarks.torch_environment import BenchError

_MAKE_ENCODER = (
    "import sys, pathlib; from tools.reliability.tiny_job import make_encoder; "
    "make_encoder(pathlib.Path(sys.argv[1]), hidden_size=64, intermediate_size=256)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    parser.add_argument(
        "--texts",
        type=positive,
        nargs="+",
        default=[1_000, 10_000, 100_000, 1_000_000],
        help="numbers of texts (default: 1000 10000 100000 1000000)",
    )
    add_output_option(parser)


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite; returns the exit code."""
    python = find_own_python(root)
    report = ReportFile("scale", arguments, arguments.output, {})
    rows = [["texts", "seconds", "states on disk MiB", "tokens on disk MiB", "own memory MiB"]]
    found = []
    for texts in arguments.texts:
        with tempfile.TemporaryDirectory(prefix="scale-") as folder:
            result = _measure(python, root, Path(folder), texts)
        found.append(result)
        rows.append(
            [
                f"{texts:,}",
                f"{result['seconds']:.0f}",
                *(
                    f"{result[name] / 2**20:,.1f}"
                    for name in ("state_bytes", "token_bytes", "own_bytes")
                ),
            ]
        )
        print("\n".join(render_table(rows)), flush=True)
    report.write({"sizes": found})
    print(report.name_below(root))
    return 0


def _measure(python: Path, root: Path, folder: Path, texts: int) -> dict[str, Any]:
    encoder, data = folder / "encoder", folder / "texts.csv"
    subprocess.run([str(python), "-c", _MAKE_ENCODER, str(encoder)], cwd=root, check=True)
    with data.open("w", encoding="utf-8") as file:
        file.write("text,label\n")
        for number in range(texts):
            good = number % 2
            words = "very " * (number % 7) + ("good" if good else "bad")
            file.write(f"the film {number} was {words} !,{good}\n")
    command = [
        *(str(python), "-m", "trainers.train", str(data)),
        f"encoder.name={encoder}",
        "freeze.depth=2",
        "data.max_length=32",
        "data.validation_fraction=0.02",
        "data.test_fraction=0",
        f"data.cache_dir={folder / 'tokens'}",
        "cache.mode=disk",
        "cache.dtype=float16",
        f"cache.dir={folder / 'states'}",
        "training.epochs=1",
        "training.batch_size=256",
        "evaluation.baselines=false",
        f"run.dir={folder / 'run'}",
    ]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=root, stdout=output, stderr=output)
        own_bytes = 0
        while process.poll() is None:
            own_bytes = max(own_bytes, _own_bytes(process.pid))
            time.sleep(0.1)
        seconds = time.perf_counter() - began
        output.seek(0)
        if process.returncode:
            raise BenchError(
                f"exit code {process.returncode} at {texts:,} texts\n{output.read()[-2000:]}"
            )
    return {
        "texts": texts,
        "seconds": seconds,
        "state_bytes": _folder_bytes(folder / "states"),
        "token_bytes": _folder_bytes(folder / "tokens"),
        "own_bytes": own_bytes,
    }


def _own_bytes(pid: int) -> int:
    """Resident memory without mapped files, whose pages the system takes back; proc(5)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return 0  # it has just ended
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields.get("RssAnon", "0 kB").split()[0]) * 1024


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
