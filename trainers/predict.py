"""Labels texts with a trained model and writes one JSON object a line.

Example:
    echo "a fine film" | python -m trainers.predict runs/reviews-depth4 -
"""

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from trainers.arguments import load_arguments, parse_arguments
from trainers.cli import run_command


def main(argv: Sequence[str]) -> int:
    """Streams texts in and predictions out; returns the exit code."""
    arguments = parse_arguments("predict", argv)

    from tf_finetune.data import read_texts
    from tf_finetune.export import check_model_folder, read_labels
    from tf_finetune.run_directory import open_run

    run, saved = open_run(arguments.run)
    config = load_arguments(arguments, base=saved.model_dump(mode="json"))
    files = check_model_folder(run.model)
    labels = read_labels(files.config, str(files.path / "config.json"))
    records = read_texts(config.data, sys.stdin if arguments.file == "-" else arguments.file)

    from tf_finetune.training import build_strategy
    from tf_finetune.training.trained_model import in_chunks, load_trained_model

    trained = load_trained_model(files, labels, config, build_strategy(config.training.strategy))
    with _output(arguments.output) as output:
        for chunk in in_chunks(records):
            logits = trained.logits_of(chunk, config.evaluation.batch_size)
            for record, answer in zip(chunk, answers(labels, logits), strict=True):
                texts = {"text": record.text}
                if record.text_pair is not None:
                    texts["text_pair"] = record.text_pair
                output.write(json.dumps({**texts, **answer}, ensure_ascii=False) + "\n")
            output.flush()
    return 0


def answers(labels: Any, logits: np.ndarray) -> Iterator[dict[str, Any]]:
    """What to say of each text: a label with probabilities, labels, or a number.

    Args:
        labels: `LabelSpace` of the model.
        logits: float32 [n, labels].
    """
    from tf_finetune.reports import predicted, probabilities

    chosen = predicted(labels, logits)
    if labels.task == "regression":
        yield from ({"value": float(value)} for value in chosen)
        return
    for choice, row in zip(chosen, probabilities(labels, logits), strict=True):
        by_name = {n: round(float(p), 6) for n, p in zip(labels.names, row, strict=True)}
        if labels.task == "multi_label":
            names = [n for n, applies in zip(labels.names, choice, strict=True) if applies]
            yield {"labels": names, "probabilities": by_name}
        else:
            yield {"label": labels.names[int(choice)], "probabilities": by_name}


@contextlib.contextmanager
def _output(path: str | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears when it is complete."""
    if path is None:
        yield sys.stdout
        return
    from tf_finetune.errors import UserError

    temporary = Path(f"{path}.partial")
    try:
        file = temporary.open("w", encoding="utf-8")
    except OSError as error:
        raise UserError(f"--output: {path} cannot be written: {error.strerror}") from None
    try:
        with file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
