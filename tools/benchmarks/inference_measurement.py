"""What a program that answers texts reports; see `measurement.py`. Standard library only."""

import argparse
import dataclasses
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from tools.benchmarks.measurement import parse_last_line, peak_rss_bytes, print_measurement

BATCH_SIZE = 32
MAX_LENGTH = 128


@dataclasses.dataclass(frozen=True)
class InferenceMeasurement:
    """A few passes over the same texts, as one process saw them.

    Attributes:
        versions: Version of each library that matters.
        texts: Texts a pass.
        ready_seconds: From the start of the process to the first answer: imports, loading,
            tracing, one batch.
        pass_seconds: Time of each pass, from strings to answers, tokenisation included.
        accuracy: Share of the texts whose answer is the label.
        size_bytes: Files that the program needs of the model.
        peak_rss_bytes: Largest resident memory of the process.
    """

    versions: dict[str, str]
    texts: int
    ready_seconds: float
    pass_seconds: tuple[float, ...]
    accuracy: float
    size_bytes: int
    peak_rss_bytes: int


def parse_inference(stdout: str) -> InferenceMeasurement:
    """Reads the record from the last line of a program's output.

    Raises:
        BenchError: If the last line is not such a record.
    """

    def read(fields: dict[str, Any]) -> InferenceMeasurement:
        return InferenceMeasurement(**fields | {"pass_seconds": tuple(fields["pass_seconds"])})

    return parse_last_line(stdout, read)


def add_program_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of every measured program."""
    parser.add_argument("--folder", type=Path, required=True, help="the exported model")
    parser.add_argument("--texts", type=Path, required=True, help="TSV: text, label")
    parser.add_argument("--passes", type=int, required=True)
    parser.add_argument("--started-at", type=float, required=True)


def measure(
    arguments: argparse.Namespace,
    answer: Callable[[list[str]], Sequence[int]],
    versions: dict[str, str],
    size_bytes: int,
) -> None:
    """Answers all texts several times and prints what that took.

    Args:
        arguments: Options of `add_program_options`.
        answer: From texts to indices of labels, in the same order.
        versions: As in `InferenceMeasurement`.
        size_bytes: Likewise.
    """
    texts, labels = read_labelled(arguments.texts)
    answer(texts[:BATCH_SIZE])
    ready = time.time() - arguments.started_at
    seconds = []
    for _ in range(arguments.passes):
        begun = time.perf_counter()
        found = answer(texts)
        seconds.append(time.perf_counter() - begun)
    right = sum(int(a) == b for a, b in zip(found, labels, strict=True))
    print_measurement(
        InferenceMeasurement(
            versions=versions,
            texts=len(texts),
            ready_seconds=ready,
            pass_seconds=tuple(seconds),
            accuracy=right / len(texts),
            size_bytes=size_bytes,
            peak_rss_bytes=peak_rss_bytes(),
        )
    )


def read_labelled(path: Path) -> tuple[list[str], list[int]]:
    """Texts and labels of a TSV file with the columns text and label, unquoted."""
    _, *rows = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    pairs = [row.rsplit("\t", 1) for row in rows]
    return [text for text, _ in pairs], [int(label) for _, label in pairs]


def versions_of(*packages: str) -> dict[str, str]:
    """Versions of installed distributions by name."""
    return {name: metadata.version(name) for name in packages}


def bytes_of(*paths: Path) -> int:
    """Bytes of files, and of all files in folders."""
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
    return sum(file.stat().st_size for file in files if file.is_file())
