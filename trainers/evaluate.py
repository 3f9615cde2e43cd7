"""Scores a trained model on its own test split or on another labelled file.

Example:
    python -m trainers.evaluate runs/reviews-depth4 new_reviews.csv
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tf_finetune.errors import visible
from trainers.arguments import parse_arguments
from trainers.cli import run_command
from trainers.trained_run import check_examples, open_trained_run

_LONGEST_WAIT = 10.0  # seconds, for other evaluations of the run to be written


def main(argv: Sequence[str]) -> int:
    """Prints every metric with its interval and writes them to the run; returns the exit code."""
    arguments = parse_arguments("evaluate", argv)
    console = Console()
    opened = open_trained_run(arguments)
    run, config, labels = opened.run, opened.config, opened.labels
    check_examples(config, arguments.file)

    from tf_finetune.data.loading import load_split, load_splits
    from tf_finetune.errors import UserError
    from tf_finetune.reports.console import render_metrics, render_mistakes, render_per_class
    from tf_finetune.runs.metrics_file import write_evaluation, write_metrics
    from tf_finetune.runs.scoring import explained, split_report
    from tf_finetune.storage.locking import exclusive_use
    from tf_finetune.storage.manifests import write_manifest

    trained = opened.load()
    train_targets = None
    if arguments.file is None:
        splits, _ = load_splits(config.data, trained.tokenizer)
        split, train_targets = splits.test or splits.validation, splits.train.labels
        if split is None:
            raise UserError(
                f"{run.path}: this run has neither test nor validation split; give FILE",
                hint=None
                if splits.folds is None
                else f"Its out-of-fold scores stand in {run.metrics}; they are those of the "
                "models of the folds, which are gone.",
            )
        name = split.name
    else:
        split = load_split(config.data, arguments.file, trained.tokenizer, labels, console=console)
        name = Path(arguments.file.split(":")[-1]).stem
    report = split_report(labels, split, trained.split_logits(split), config, train_targets)
    reports = {split.name: report}
    if opened.description:
        console.print(Text(visible(f"{run.path}: {opened.description}")), soft_wrap=True)
    else:
        reports = explained(trained.members[0].classifier, labels, reports, config)

    folder = run.path / "evaluations"
    # One at a time, because the manifest lists the files of all.
    with exclusive_use(run.path, option="RUN", seconds=_LONGEST_WAIT):
        folder.mkdir(exist_ok=True)
        write_metrics(folder / f"{name}.metrics.json", reports)
        write_evaluation(folder / f"{name}.evaluation.json", reports)
        write_manifest(folder)
    render_metrics(console, report)
    render_per_class(console, report)
    render_mistakes(console, report, limit=5)
    console.print(Text(visible(f"written to {folder}/{name}.*.json")), soft_wrap=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
