"""Labels texts with a trained model and writes one JSON object a line, or a Parquet file.

Example:
    echo "a fine film" | python -m trainers.predict runs/reviews-depth4 -
    python -m trainers.predict runs/reviews-depth4 new.csv --output answers.parquet --top-k 3
"""

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from tf_finetune.errors import visible
from trainers.arguments import load_arguments, parse_arguments
from trainers.cli import run_command
from trainers.streams import as_encoded

if TYPE_CHECKING:
    from tf_finetune.data import LabelSpace
    from tf_finetune.prediction import Output, ResumableFile


def main(argv: Sequence[str]) -> int:
    """Streams texts in and predictions out; returns the exit code."""
    arguments = parse_arguments("predict", argv)

    from tf_finetune.export import check_model_folder, read_labels
    from tf_finetune.prediction import (
        OpenStream,
        ResumableFile,
        check_output,
        check_top_k,
        count_texts,
        describe_job,
        predict_texts,
        shown_progress,
    )
    from tf_finetune.run_directory import open_run

    run, saved = open_run(arguments.run)
    config = load_arguments(arguments, base=saved.model_dump(mode="json"))
    files = check_model_folder(run.model)
    labels = read_labels(files.config, str(files.path / "config.json"))
    top_k = check_top_k(arguments.top_k, labels)
    target = None if arguments.output is None else check_output(arguments.output)
    piped = arguments.file == "-"
    if piped:
        as_encoded(sys.stdin, config.data.encoding)
    total = None if piped else count_texts(config.data, arguments.file)

    from tf_finetune.training import build_strategy
    from tf_finetune.training.trained_model import load_trained_model

    def predict(output: "Output") -> None:
        with shown_progress(Console(stderr=True), total, output.done.texts) as show:
            predict_texts(
                lambda: load_trained_model(
                    files, labels, config, build_strategy(config.training.strategy)
                ),
                config.data,
                sys.stdin if piped else arguments.file,
                output,
                batch_size=config.evaluation.batch_size,
                top_k=top_k,
                on_progress=show,
            )

    if target is None:
        as_encoded(sys.stdout, "utf-8")
        predict(OpenStream(sys.stdout))
        return 0
    job = describe_job(files.path / "manifest.json", config, top_k)
    file = ResumableFile(target, job)
    try:
        _to_file(file, predict, labels, pairs=config.data.text_pair_column is not None)
    finally:
        file.close()
    return 0


def _to_file(
    file: "ResumableFile",
    predict: Callable[["Output"], None],
    labels: "LabelSpace",
    *,
    pairs: bool,
) -> None:
    """Predicts into a file, and says what is kept if that does not come to its end."""
    from tf_finetune.errors import UserError
    from tf_finetune.prediction import PARQUET, write_parquet

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
    convert = partial(write_parquet, labels=labels, pairs=pairs)
    file.finish(convert if file.path.suffix.lower() in PARQUET else None)
    line = (
        f"{file.path}: {file.done.texts:,} texts, {file.done.texts - before:,} of them now in "
        f"{seconds:.1f} s"
    )
    console.print(Text(visible(line)))


if __name__ == "__main__":
    raise SystemExit(run_command(main))
