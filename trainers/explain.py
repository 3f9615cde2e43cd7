"""Shows which words decided a prediction: integrated gradients as coloured HTML and as JSON.

Example:
    python -m trainers.explain runs/reviews-depth4 --text "a fine film" --output why.html
    python -m trainers.explain runs/reviews-depth4 new.csv --limit 20 --output why.json
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.errors import UserError, visible
from tf_finetune.storage.files import json_line
from trainers.arguments import parse_arguments, whole_number
from trainers.cli import run_command
from trainers.streams import as_encoded
from trainers.texts import given_texts
from trainers.trained_run import open_trained_run

if TYPE_CHECKING:
    from tf_finetune.evaluation.attributions import Explanation
    from tf_finetune.reports.page.explanations import ExplainedText
    from tf_finetune.sources.records import Record

_MOST_TEXTS = 100  # without --limit; each takes about as long as a step of training
_NAMED_WORDS = 3
_ENDINGS = (".html", ".htm", ".json", ".jsonl", ".ndjson")


def main(argv: Sequence[str]) -> int:
    """Explains texts one after the other; returns the exit code."""
    arguments = parse_arguments("explain", argv)

    from tf_finetune.evaluation.explanation.requests import check_label, check_precision
    from tf_finetune.prediction.answers import answers
    from tf_finetune.prediction.resumable import check_output

    opened = open_trained_run(arguments, alone="explained is the single model's answer")
    run, config = opened.run, opened.config
    output = check_label(arguments.label, opened.labels)
    precision = check_precision(
        whole_number("--steps", arguments.steps, positive=True),
        whole_number("--max-steps", arguments.max_steps, positive=True),
        arguments.tolerance,
    )
    targets = [check_output(path, _ENDINGS) for path in arguments.output]
    records = _read_texts(arguments, config)

    (trained,) = opened.load().members
    if not targets:
        as_encoded(sys.stdout, "utf-8")
    explained, lines = [], []
    logits = trained.logits_of(records, config.evaluation.batch_size)
    rows = zip(records, logits.argmax(axis=1), answers(opened.labels, logits), strict=True)
    for number, (record, likeliest, answer) in enumerate(rows, start=1):
        chosen = int(likeliest) if output is None else output
        why = trained.explainer.explain(record.text, record.text_pair, chosen, precision)
        explained.append(_explained_text(record, answer, why))
        lines.append(_json_object(record, answer, why))
        print(visible(_summary(number, explained[-1])), file=sys.stderr, flush=True)
        if not targets:
            print(json_line(lines[-1]), flush=True)
    for target in targets:
        _write(target, f"Predictions of {run.path.name}", lines, explained, precision.tolerance)
    return 0


def _read_texts(arguments: argparse.Namespace, config: ExperimentConfig) -> list["Record"]:
    """The texts to explain."""
    limit = _MOST_TEXTS
    if arguments.limit is not None:
        limit = whole_number("--limit", arguments.limit, positive=True)
    texts = given_texts(arguments, config.data)
    found = texts.read()
    records = list(islice(found, limit))
    more = sum(1 for _ in found)  # read to their end, where bad rows are told
    if more and arguments.limit is None:
        raise UserError(
            f"{texts.name}: {limit + more:,} texts are more than {limit}, which are explained "
            "without being asked for",
            hint="--limit N explains the first N; each takes about as long as a step of training.",
        )
    if not records:
        raise UserError(f"{texts.name}: holds no texts; accepted: at least one")
    return records


def _explained_text(
    record: "Record", answer: Mapping[str, Any], why: "Explanation"
) -> "ExplainedText":
    """What the page shows."""
    from tf_finetune.reports.page.explanations import ExplainedText

    return ExplainedText(
        (record.text,) if record.text_pair is None else (record.text, record.text_pair),
        next(answer[name] for name in ("label", "labels", "value") if name in answer),
        None if why.label is None else answer["probabilities"][why.label],
        why,
    )


def _json_object(record: "Record", answer: Mapping[str, Any], why: "Explanation") -> dict[str, Any]:
    """What `predict` says of a text, and why."""
    texts = {"text": record.text}
    if record.text_pair is not None:
        texts["text_pair"] = record.text_pair
    return {**texts, **answer, "explanation": why.to_dict()}


def _summary(number: int, item: "ExplainedText") -> str:
    """A line for the terminal: the answer, its strongest words and how exact that is."""
    from tf_finetune.reports.page.explanations import answer_text, explanation_details
    from tf_finetune.reports.page.numbers import signed

    why, details = item.explanation, explanation_details(item.explanation)
    about = "" if why.label is None else f", {details['label']} {item.probability:.3f}"
    strongest = sorted(why.all_words(), key=lambda word: -abs(word.attribution))[:_NAMED_WORDS]
    words = ", ".join(f"{word.text} {signed(word.attribution)}" for word in strongest)
    state = "" if why.converged else ", not converged"
    return (
        f"{number}: {answer_text(item.predicted)}{about}: {words} "
        f"(off by {details['share']} after {details['steps']} steps{state})"
    )


def _write(
    target: Path,
    title: str,
    lines: list[dict[str, Any]],
    explained: list["ExplainedText"],
    tolerance: float,
) -> None:
    from tf_finetune.reports.page.explanations import write_explanations_page
    from tf_finetune.storage.files import write_atomically, write_json

    ending = target.suffix.lower()
    if ending in (".html", ".htm"):
        write_explanations_page(target, title, explained, tolerance)
    elif ending == ".json":
        content = {"method": "integrated gradients", "tolerance": tolerance, "texts": lines}
        write_json(target, content)
    else:
        write_atomically(target, "".join(json_line(line) + "\n" for line in lines))
    print(f"{target}: {len(lines):,} explained", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
