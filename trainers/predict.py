"""Labels texts with a trained model: a readable line each at a terminal, else JSON lines or a file.

Example:
    python -m trainers.predict runs/reviews-depth4 "a fine film"
    echo "a fine film" | python -m trainers.predict runs/reviews-depth4 -
    python -m trainers.predict runs/reviews-depth4 new.csv --output answers.csv --top-k 3
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from tf_finetune.errors import UserError, visible
from trainers.arguments import parse_arguments
from trainers.cli import run_command
from trainers.streams import as_encoded
from trainers.texts import GivenTexts, given_texts
from trainers.trained_run import open_trained_run

if TYPE_CHECKING:
    from tf_finetune.config.experiment import ExperimentConfig
    from tf_finetune.prediction.conversion import Conversion
    from tf_finetune.prediction.resumable import Output, ResumableFile
    from tf_finetune.prediction.sureness import Sureness
    from tf_finetune.runs.ensemble import Ensemble
    from tf_finetune.tasks.labels import LabelSpace


def main(argv: Sequence[str]) -> int:
    """Streams texts in and predictions out; returns the exit code."""
    arguments = parse_arguments("predict", argv)

    from tf_finetune.data.chunks import in_chunks
    from tf_finetune.prediction.bar import shown_progress
    from tf_finetune.prediction.job import describe_prediction
    from tf_finetune.prediction.live import live_chunks
    from tf_finetune.prediction.resumable import ResumableFile
    from tf_finetune.prediction.streaming import CHUNK_TEXTS, predict_texts
    from tf_finetune.prediction.sureness import Sureness

    opened = open_trained_run(arguments)
    config, labels = opened.config, opened.labels
    asked = _checked(arguments, config, labels)
    live = asked.texts.piped and asked.target is None
    chunks = (live_chunks if live else in_chunks)(asked.texts.read(), CHUNK_TEXTS)
    load = _loaded_now(opened.load) if live else opened.load
    sureness = Sureness(asked.at_least)

    def predict(output: "Output", **options: Any) -> None:
        console = Console(stderr=True, quiet=asked.target is None and sys.stdout.isatty())
        with shown_progress(console, asked.total, output.done.texts) as show:
            options |= {"batch_size": config.evaluation.batch_size, "top_k": asked.top_k}
            options |= {"sureness": sureness}
            predict_texts(load, chunks, output, on_progress=show, **options)

    if opened.description:
        print(f"{opened.run.path}: {opened.description}", file=sys.stderr)
    if asked.target is None:
        _to_standard_output(predict, labels, listed=asked.top_k is not None)
        _tell_unsure(sureness, "")
        return 0
    job = describe_prediction(opened.manifest, config, asked.top_k, asked.at_least)
    file = ResumableFile(asked.target, job)
    try:
        before = file.done.texts
        _to_file(file, predict, asked.convert)
        _tell_unsure(sureness, f", besides {before:,} of an earlier call" if before else "")
    finally:
        file.close()
    return 0


def _tell_unsure(sureness: "Sureness", besides: str) -> None:
    if sureness.answered:
        print(f"{sureness.sentence()}{besides}", file=sys.stderr)


def _loaded_now(load: Callable[[], "Ensemble"]) -> Callable[[], "Ensemble"]:
    """Loads the model before the first line comes, so that it is answered at once."""
    trained = load()
    if sys.stdin.isatty():
        print("ready: a text a line; Ctrl-D ends", file=sys.stderr)
    return lambda: trained


@dataclass(frozen=True)
class _Asked:
    """What the command line asks for, checked.

    Attributes:
        texts: The texts.
        total: Their number; None of standard input.
        top_k: As for `answers`.
        at_least: The probability that makes an answer sure; None: none is marked.
        target: The file for the answers; None: standard output.
        convert: Makes that file of JSON lines, None if it is these.
    """

    texts: GivenTexts
    total: int | None
    top_k: int | None
    at_least: float | None
    target: Path | None
    convert: "Conversion | None"


def _checked(
    arguments: argparse.Namespace, config: "ExperimentConfig", labels: "LabelSpace"
) -> _Asked:
    """Checks all that needs no model, and tells everything that is wrong at once."""
    from tf_finetune.prediction.answers import check_top_k
    from tf_finetune.prediction.conversion import conversion
    from tf_finetune.prediction.resumable import check_output
    from tf_finetune.prediction.sureness import check_at_least

    def source() -> tuple[GivenTexts, int | None]:
        texts = given_texts(arguments, config.data)
        if texts.piped:
            return texts, None
        # Every row is read once, so that what is wrong is told before any work is done.
        notes: list[str] = []
        total = sum(1 for _ in texts.read(notes))
        for note in notes:
            print(visible(f"! {texts.name}: {note}"), file=sys.stderr)
        return texts, total

    def output() -> tuple[Path | None, "Conversion | None"]:
        if arguments.output is None:
            return None, None
        target = check_output(arguments.output)
        return target, conversion(
            target,
            labels,
            pairs=config.data.text_pair_column is not None,
            listed=arguments.top_k is not None,
            separator=config.data.label_separator,
            marked=arguments.at_least is not None,
        )

    found: list[Any] = []
    wrong: list[UserError] = []
    checks: Iterable[Callable[[], Any]] = (
        source,
        lambda: check_top_k(arguments.top_k, labels),
        lambda: check_at_least(arguments.at_least, labels),
        output,
    )
    for check in checks:
        try:
            found.append(check())
        except UserError as error:
            wrong.append(error)
    if wrong:
        hints = [error.hint for error in wrong if error.hint]
        raise UserError(
            [problem for error in wrong for problem in error.problems],
            hint="\n".join(hints) or None,
        )
    (texts, total), top_k, at_least, (target, convert) = found
    return _Asked(texts, total, top_k, at_least, target, convert)


def _to_standard_output(
    predict: Callable[..., None], labels: "LabelSpace", *, listed: bool
) -> None:
    """Predicts to a person at a terminal, or in JSON lines to a program."""
    from tf_finetune.prediction.readable import readable_lines
    from tf_finetune.prediction.resumable import OpenStream
    from tf_finetune.prediction.streaming import json_answer

    as_encoded(sys.stdout, "utf-8")
    write: Callable[..., str] = json_answer
    if sys.stdout.isatty():
        width, colours = shutil.get_terminal_size().columns, Console(file=sys.stdout).color_system
        write = readable_lines(labels, width, listed=listed, coloured=colours is not None)
    predict(OpenStream(sys.stdout), write=write)


def _to_file(
    file: "ResumableFile", predict: Callable[..., None], convert: "Conversion | None"
) -> None:
    """Predicts into a file, and says what is kept if that does not come to its end."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    before, started = file.done.texts, time.perf_counter()
    if before:
        console.print(f"going on after {before:,} texts that an earlier call answered")
    try:
        predict(file)
    except (KeyboardInterrupt, UserError):  # also an input that is mended may go on
        if file.done.texts:
            console.print(f"{file.done.texts:,} texts are kept; the same command goes on")
        raise
    seconds = time.perf_counter() - started
    notes = file.finish(convert)
    line = (
        f"{file.path}: {file.done.texts:,} texts, {file.done.texts - before:,} of them now in "
        f"{seconds:.1f} s"
    )
    for said in (line, *notes):
        console.print(Text(visible(said)))


if __name__ == "__main__":
    raise SystemExit(run_command(main))
