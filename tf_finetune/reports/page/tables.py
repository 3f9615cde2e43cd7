"""The tables of a report page: what their cells say, before any markup."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.reports.console import baseline_title, printable
from tf_finetune.reports.page import numbers
from tf_finetune.reports.page.content import ReportContent, TrialRow
from tf_finetune.reports.page.plan_figure import Place
from tf_finetune.results.recommendation import DepthResult, Recommendation
from tf_finetune.results.trial import METHOD, order_of_rate
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.table import TASKS

NAME_CHARACTERS = 60


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        caption: What it shows.
        columns: Its headings.
        rows: Its cells; the first of a row is its heading.
        words: Indices of the columns that hold words, not numbers.
        emphasized: Indices of the rows that stand out.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset({0})
    emphasized: frozenset[int] = frozenset()


def depth_table(answer: Recommendation) -> Table:
    """One row a depth: its best cell, its score, how far from the best, and its price.

    What an answer takes is told where it differs.
    """
    answers = ("answer",) if answer.answers_differ else ()
    return Table(
        "Each depth at its best learning rate",
        (
            *("frozen", "learning rate", f"{METRICS[answer.metric].title}", "interval"),
            *("below best", "p", "trained", "s / epoch", "time", "memory", *answers, "seeds"),
        ),
        tuple(_depth_cells(answer, row) for row in answer.depths),
        emphasized=_indices(row.place == answer.recommended_place for row in answer.depths),
    )


def rate_table(answer: Recommendation) -> Table:
    """One row a depth: its best learning rate and where that lies among those tried."""
    places = {
        "lowest": "the lowest tried: a lower one may be better",
        "highest": "the highest tried: a higher one may be better",
        "only": "the only one tried",
        None: "between others",
    }
    return Table(
        "Best learning rate of each depth",
        ("frozen", "learning rate", "which is"),
        tuple(
            (
                f"{row.cell.place_words}{place_mark(answer, row)}",
                numbers.rate(row.learning_rate) + further_options(row),
                "the head alone, solved" if row.cell.is_solved else places[row.rate_edge],
            )
            for row in answer.depths
        ),
        words=frozenset({0, 2}),
        emphasized=_indices(row.place == answer.recommended_place for row in answer.depths),
    )


def _depth_cells(answer: Recommendation, row: DepthResult) -> tuple[str, ...]:
    edge = {"lowest": " ↓", "highest": " ↑"}.get(row.rate_edge or "", "")
    difference, p_value = numbers.NOTHING, numbers.p_value(None)
    if row.to_best is not None:
        error = numbers.score(row.to_best.standard_error)
        difference = f"{numbers.score(row.to_best.difference)} ± {error}"
        p_value = numbers.p_value(row.to_best.adjusted_p_value)
    memory = numbers.memory(row.peak_memory_bytes)
    if row.relative_memory is not None:
        memory += f" ({numbers.multiple(row.relative_memory)})"
    return (
        f"{row.cell.place_words}{place_mark(answer, row)}",
        f"{numbers.rate(row.learning_rate)}{further_options(row)}{edge}",
        numbers.score(row.score),
        f"{numbers.score(row.low)} to {numbers.score(row.high)}",
        difference,
        p_value,
        numbers.count(row.trainable_parameters),
        numbers.plain_seconds(row.seconds_per_epoch),
        numbers.multiple(row.relative_time),
        memory,
        *([numbers.whole_percent(row.relative_answer)] if answer.answers_differ else []),
        "any" if row.cell.is_solved else str(len(row.seeds)),
    )


def place_mark(answer: Recommendation, row: DepthResult) -> str:
    """The mark that a depth has in the figures too."""
    marks = " ◆" if row.place == answer.recommended_place else ""
    return marks + (" ★" if row.place == answer.best_place else "")


def trials_table(content: ReportContent) -> Table:
    """One row a trial, failed ones with their reason."""
    trials = sorted(
        content.trials,
        key=lambda t: (t.cell.place.order, order_of_rate(t.learning_rate), t.seed),
    )
    work = [trial.answer_flops for trial in trials if trial.answer_flops is not None]
    most = max(work) if work and min(work) < 0.995 * max(work) else None
    columns = (
        *("frozen", "learning rate", "seed", METRICS[content.metric].title, "epochs"),
        *("trained", "s / epoch", "training", "examples / s", "memory"),
        *(["answer"] if most else []),
        "status",
    )
    return Table(
        f"All {len(trials)} trials",
        columns,
        tuple(_trial_cells(trial, most) for trial in trials),
        words=frozenset({0, len(columns) - 1}),
        emphasized=_indices(content.is_recommended(trial) for trial in trials),
    )


def _trial_cells(trial: TrialRow, most_work: float | None) -> tuple[str, ...]:
    """What an answer takes is a share of the most; None leaves it out."""
    work = trial.answer_flops / most_work if most_work and trial.answer_flops else None
    return (
        trial.cell.place_words,
        numbers.rate(trial.learning_rate) + further_options(trial),
        str(trial.seed),
        numbers.score(trial.score),
        numbers.count(None if trial.is_solved else trial.epochs),
        numbers.count(trial.trainable_parameters),
        numbers.plain_seconds(trial.seconds_per_epoch),
        numbers.seconds(trial.train_seconds),
        numbers.count(trial.examples_per_second),
        numbers.memory(trial.peak_memory_bytes),
        *([numbers.whole_percent(work)] if most_work else []),
        "completed" if trial.completed else f"failed: {printable(trial.reason or 'no score', 200)}",
    )


def epochs_table(trial: TrialRow, folds: int | None = None) -> Table | None:
    """One row an epoch: the loss, every validation score and the time; None without any.

    Args:
        trial: The trial.
        folds: Of how many trainings its history holds the means; None: it is that of one.
    """
    if not trial.history:
        return None
    names = [name for name in trial.history[0] if name.startswith("val_")]
    timed = "seconds" in trial.history[0]
    titles = [f"val. {METRICS[name.removeprefix('val_')].title}" for name in names]
    what = "penalty" if trial.is_solved else "epoch"
    return Table(
        f"Each {what}" if folds is None else f"Each {what}, means over {folds} folds",
        (what, "loss", *titles, *(["seconds"] if timed else [])),
        tuple(
            (
                f"{entry['penalty']:.3g}" if trial.is_solved else str(number),
                *(numbers.score(entry.get(name)) for name in ("loss", *names)),
                *([numbers.plain_seconds(entry.get("seconds"))] if timed else []),
            )
            for number, entry in enumerate(trial.history, start=1)
        ),
    )


def metrics_table(report: EvaluationReport) -> Table:
    """One row a metric: its value and interval beside the baselines."""
    return Table(
        f"Scores on the {report.n:,} {report.split} examples{report.threshold_words}",
        (
            *("metric", "value", f"{100 * report.confidence:g} % interval"),
            *(baseline_title(name) for name in report.baselines),
        ),
        tuple(
            (
                METRICS[name].title,
                numbers.score(found["value"]),
                f"{numbers.score(found['low'])} to {numbers.score(found['high'])}",
                *(numbers.score(scores[name]) for scores in report.baselines.values()),
            )
            for name, found in report.metrics.items()
        ),
        emphasized=_indices(name == TASKS[report.task].headline for name in report.metrics),
    )


def folds_table(report: EvaluationReport) -> Table:
    """One row a fold: its headline score with the interval, and its loss."""
    headline = TASKS[report.task].headline
    scores = [fold.metrics[headline] for fold in report.folds]
    return Table(
        "Each fold, by the model that was trained on the others",
        (
            *("fold", "examples", METRICS[headline].title),
            *(f"{100 * report.confidence:g} % interval", METRICS["loss"].title),
        ),
        tuple(
            (
                fold.name,
                f"{fold.n:,}",
                numbers.score(found["value"]),
                f"{numbers.score(found['low'])} to {numbers.score(found['high'])}",
                numbers.score(fold.metrics["loss"]["value"]),
            )
            for fold, found in zip(report.folds, scores, strict=True)
        ),
    )


def class_table(report: EvaluationReport) -> Table:
    """One row a class, or whatever the task counts."""
    task = TASKS[report.task]
    return Table(
        f"Each {task.nouns[0]} on the {report.split} examples",
        (task.nouns[0], "precision", "recall", "F1", task.counted),
        tuple(
            (
                printable(entry.name, NAME_CHARACTERS),
                *(numbers.score(value) for value in (entry.precision, entry.recall, entry.f1)),
                f"{entry.support:,}",
            )
            for entry in report.per_class
        ),
    )


def plan_table(places: list[Place]) -> Table:
    """One row a layer or other part, from the output to the input as in the picture."""
    return Table(
        "What is trained, layer by layer",
        ("part", "parameters", "trained", "decided by"),
        tuple(
            (place.name, f"{place.parameters:,}", f"{place.trained:,}", place.rules)
            for place in reversed(places)
        ),
        words=frozenset({0, 3}),
    )


def splits_table(data: Mapping[str, Any]) -> Table:
    """One row a split."""
    return Table(
        "Splits",
        (
            *("split", "source", "examples", "median tokens", "99 % up to", "longest"),
            *("cut", "duplicates"),
        ),
        tuple(
            (
                split["name"],
                printable(split["source"], NAME_CHARACTERS),
                f"{split['rows']:,}",
                *(str(split[f"length_{name}"]) for name in ("p50", "p99", "max")),
                numbers.percent(split["truncated_share"]),
                f"{split['duplicates']:,}",
            )
            for split in data["splits"]
        ),
        words=frozenset({0, 1}),
    )


def labels_table(data: Mapping[str, Any]) -> Table | None:
    """Examples of each class by split, or the range of the targets; None where there is neither."""
    splits = data["splits"]
    names = tuple(split["name"] for split in splits)
    if not data["label_names"]:
        ranges = [split["target_range"] for split in splits]
        if None in ranges:
            return None
        rows = [
            (title, *(numbers.score(found[i]) for found in ranges))
            for i, title in enumerate(("least", "mean", "greatest"))
        ]
        return Table("Targets", ("target", *names), tuple(rows))
    rows = [
        (printable(name, NAME_CHARACTERS), *(f"{s['class_counts'][i]:,}" for s in splits))
        for i, name in enumerate(data["label_names"])
    ]
    task = TASKS[data["task"]]
    noun = task.nouns[0]
    return Table(f"{task.counted.capitalize()} of each {noun}", (noun, *names), tuple(rows))


def preflight_table(content: Mapping[str, Any]) -> Table:
    """One row a chip, depth and batch size: what the TPU compiler said, and an estimate."""
    return Table(
        f"{content['length']} tokens a row, {content['precision']}; the job is "
        f"{content['examples']:,} examples for {content['epochs']} epochs",
        ("chip", "frozen", "batch", "fits", "memory", "FLOPs", "step at best", "job at best"),
        tuple(_preflight_cells(cell) for cell in content["cells"]),
        words=frozenset({0, 3}),
    )


def _preflight_cells(cell: Mapping[str, Any]) -> tuple[str, ...]:
    # Files of earlier versions do not say what is run.
    what = ", pass" if cell.get("runs") == "pass" else ""
    start = (str(cell["chip"]), f"{cell['depth']}{what}", f"{cell['batch_size']:,}")
    if not cell["fits"]:
        return (*start, "no" if cell["fits"] is False else "failed", *4 * (numbers.NOTHING,))
    return (
        *start,
        "yes",
        numbers.memory(cell["device_bytes"]),
        numbers.count(cell["flops"]),
        numbers.seconds(cell["estimated_step_seconds"]),
        numbers.seconds(cell["estimated_job_seconds"]),
    )


def _extra(extra: Mapping[str, Any]) -> str:
    return "".join(
        f", {printable(f'{name}={value}', NAME_CHARACTERS)}" for name, value in extra.items()
    )


def further_options(row: DepthResult | TrialRow) -> str:
    """Options that the column of the depth does not tell, to stand behind a learning rate."""
    told = ("encoder.layers", METHOD)
    return _extra({name: value for name, value in row.extra.items() if name not in told})


def _indices(flags: Any) -> frozenset[int]:
    return frozenset(index for index, flag in enumerate(flags) if flag)
