"""Shows which words decided a prediction: integrated gradients as coloured HTML and as JSON.

Example:
    python -m trainers.explain runs/reviews-depth4 --text "a fine film" --output why.html
    python -m trainers.explain runs/reviews-depth4 new.csv --limit 20 --output why.json
    python -m trainers.explain runs/slots "from Boston to New York" --label city --entity 2
    python -m trainers.explain runs/squad --text "Who?" --text-pair "Anna did, not Bo." --answer Bo
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.errors import UserError, visible
from tf_finetune.storage.files import json_line
from trainers.arguments import parse_arguments, whole_number
from trainers.cli import run_command
from trainers.streams import as_encoded
from trainers.texts import given_texts
from trainers.trained_run import open_trained_run

if TYPE_CHECKING:
    from tf_finetune.jobs.explain import ExplainedAnswer
    from tf_finetune.reports.page.explanations import ExplainedText
    from tf_finetune.sources.records import Record

_MOST_TEXTS = 100  # without --limit; each takes about as long as a step of training
_NAMED_WORDS = 3
_ENDINGS = (".html", ".htm", ".json", ".jsonl", ".ndjson")


def main(argv: Sequence[str]) -> int:
    """Explains texts one after the other; returns the exit code."""
    arguments = parse_arguments("explain", argv)

    from tf_finetune.evaluation.explanation.requests import asked_of, check_precision
    from tf_finetune.prediction.resumable import check_output
    from tf_finetune.tasks.table import check_able

    opened = open_trained_run(arguments, alone="explained is the single model's answer")
    check_able(opened.labels.task, "explain")
    entity = arguments.entity
    if entity is not None:
        entity = whole_number("--entity", entity, positive=True)
    asked = asked_of(opened.labels, label=arguments.label, entity=entity, answer=arguments.answer)
    precision = check_precision(
        whole_number("--steps", arguments.steps, positive=True),
        whole_number("--max-steps", arguments.max_steps, positive=True),
        arguments.tolerance,
    )
    targets = [check_output(path, _ENDINGS) for path in arguments.output]
    records = _read_texts(arguments, opened.config)

    from tf_finetune.jobs.explain import explain

    (trained,) = opened.load().members
    if not targets:
        as_encoded(sys.stdout, "utf-8")
    explained = []
    found = explain(trained, records, asked, precision)
    for number, one in enumerate(found, start=1):
        explained.append(one)
        print(visible(_summary(number, one.shown)), file=sys.stderr, flush=True)
        if not targets:
            print(json_line(one.to_dict()), flush=True)
    for target in targets:
        _write(target, f"Predictions of {opened.run.path.name}", explained, precision.tolerance)
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


def _summary(number: int, item: "ExplainedText") -> str:
    """A line for the terminal: the answer, its strongest words and how exact that is."""
    from tf_finetune.reports.page.explanations import answer_text, explanation_details
    from tf_finetune.reports.page.numbers import signed

    why, details = item.explanation, explanation_details(item.explanation)
    about = "" if why.label is None else f", {details['label']} {item.probability:.3f}"
    if not isinstance(item.predicted, str) and about:
        about = f"; why {about[2:]}"
    strongest = sorted(why.all_words(), key=lambda word: -abs(word.attribution))[:_NAMED_WORDS]
    words = ", ".join(f"{word.text} {signed(word.attribution)}" for word in strongest)
    state = "" if why.converged else ", not converged"
    return (
        f"{number}: {answer_text(item.predicted)}{about}: {words} "
        f"(off by {details['share']} after {details['steps']} steps{state})"
    )


def _write(
    target: Path, title: str, explained: Sequence["ExplainedAnswer"], tolerance: float
) -> None:
    from tf_finetune.reports.page.explanations import write_explanations_page
    from tf_finetune.storage.files import write_atomically, write_json

    ending = target.suffix.lower()
    texts = [one.to_dict() for one in explained]
    if ending in (".html", ".htm"):
        write_explanations_page(target, title, [one.shown for one in explained], tolerance)
    elif ending == ".json":
        content = {"method": "integrated gradients", "tolerance": tolerance, "texts": texts}
        write_json(target, content)
    else:
        write_atomically(target, "".join(json_line(text) + "\n" for text in texts))
    print(f"{target}: {len(texts):,} explained", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
