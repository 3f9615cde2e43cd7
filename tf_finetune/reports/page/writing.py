"""Writes `report.html`, one file that needs nothing else, and `report.json`, its numbers."""

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

from tf_finetune.evaluation.report import EvaluationReport, Mistake
from tf_finetune.reports.console import printable
from tf_finetune.reports.page import drawing, numbers, tables
from tf_finetune.reports.page.coloured_parts import coloured_parts, verdicts_of
from tf_finetune.reports.page.coloured_words import around, coloured_texts
from tf_finetune.reports.page.content import ReportContent, scored_on
from tf_finetune.reports.page.explanations import answer_text, explanation_details
from tf_finetune.reports.page.labels_table import labels_table
from tf_finetune.reports.page.plan_figure import places_of
from tf_finetune.reports.page.race_table import race_table
from tf_finetune.reports.page.rendering import page_templates
from tf_finetune.results.recommendation import Recommendation
from tf_finetune.storage.files import write_atomically, write_json
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.table import TASKS

MOST_CURVES = 8  # figures; of more only the recommended and the best depth's are open
SIDE_BY_SIDE_CLASSES = 12  # a larger matrix takes the width of the page
TEXT_CHARACTERS = 600  # of a mistake's text


def write_report_page(path: str | os.PathLike[str], content: ReportContent) -> None:
    """Writes the page, and its numbers beside it under the same name with `.json`.

    Args:
        path: The file to write, usually `report.html`.
        content: What the page shows.

    Raises:
        UserError: A file cannot be written.
    """
    write_json(Path(path).with_suffix(".json"), content.to_dict())
    # A lone surrogate in a user's text has no UTF-8.
    write_atomically(path, render_page(content).encode("utf-8", errors="replace"))


def render_page(content: ReportContent) -> str:
    """The page as HTML; every text in it is escaped."""
    templates = page_templates()
    script = templates.get_template("copy.js").render()
    return templates.get_template("page.html").render(
        _context(content), script_hash=_csp_hash(script)
    )


def _context(content: ReportContent) -> dict[str, Any]:
    """What the template shows, section by section."""
    places = places_of(content.plan) if content.plan else []
    reports = list(content.reports.values())
    by_name = {d.name: d for d in drawing.search_drawings(content)}
    return {
        "content": content,
        "answer": content.search,
        "tiles": _tiles(content),
        "figures": by_name,
        "depths": tables.depth_table(content.search) if content.search else None,
        "rates": tables.rate_table(content.search) if content.search else None,
        **_curves(content),
        "epochs": _epochs(content),
        "evaluations": [_evaluation(report) for report in reports],
        "plan": drawing.plan_drawing(content),
        "plan_table": tables.plan_table(places) if places else None,
        "splits": tables.splits_table(content.data) if content.data else None,
        "labels": tables.labels_table(content.data) if content.data else None,
        "race": race_table(content),
        "by_labels": labels_table(content.learning_curve) if content.learning_curve else None,
        "trials": tables.trials_table(content) if content.search else None,
        "preflight": tables.preflight_table(content.preflight) if content.preflight else None,
        "metric": METRICS[content.metric].title,
        "direction": drawing.better_direction(content.metric),
    }


def _curves(content: ReportContent) -> dict[str, list[drawing.Drawing]]:
    """The learning curves, and of many those that a reader need not see at once."""
    curves = drawing.curve_drawings(content)
    if content.search is None or len(curves) <= MOST_CURVES:
        return {"curves": curves, "more_curves": []}
    told = (content.search.recommended_place.depth, content.search.best_place.depth)
    shown = [drawn for drawn in curves if drawn.name in {f"curves-{depth}" for depth in told}]
    shown = shown or curves[:MOST_CURVES]
    return {"curves": shown, "more_curves": [drawn for drawn in curves if drawn not in shown]}


def _epochs(content: ReportContent) -> tables.Table | None:
    single = content.search is None and len(content.trials) == 1
    return tables.epochs_table(content.trials[0], content.folds) if single else None


def _evaluation(report: EvaluationReport) -> dict[str, Any]:
    drawings = drawing.evaluation_drawings({report.split: report})
    return {
        "report": report,
        "metrics": tables.metrics_table(report),
        "folds": tables.folds_table(report) if report.folds else None,
        "classes": tables.class_table(report) if report.per_class else None,
        "figure": drawings[0] if drawings else None,
        "large": len(report.per_class) > SIDE_BY_SIDE_CLASSES,
        "mistakes_title": TASKS[report.task].mistake_words.capitalize(),
        "mistakes": [_mistake(mistake) for mistake in report.mistakes],
        "verdicts": verdicts_of(report.mistakes),
    }


def _mistake(mistake: Mistake) -> dict[str, Any]:
    pair = [] if mistake.text_pair is None else [mistake.text_pair]
    texts = [mistake.text, *pair, *mistake.choices]
    why = mistake.explanation
    explained, shown = why, [*texts]
    if why is not None and why.asked is not None:
        which = int(why.asked_of_pair)
        explained, shown[which] = around(why, texts[which], why.asked[0], TEXT_CHARACTERS)
    return {
        "row": f"{mistake.row:,}",
        "label": answer_text(mistake.label),
        "predicted": answer_text(mistake.predicted),
        "probability": None if mistake.probability is None else f"{mistake.probability:.3f}",
        "shared": len(texts) - len(mistake.choices),
        "texts": [printable(text, TEXT_CHARACTERS) or "(empty)" for text in texts],
        "why": None if why is None else explanation_details(why),
        "parts": coloured_parts(mistake, TEXT_CHARACTERS) if mistake.parts else None,
        "said": [
            printable(f"{part.sentence}, {part.probability:.3f}", TEXT_CHARACTERS)
            for part in mistake.parts
        ],
        "coloured": None
        if explained is None
        else coloured_texts(explained, shown, TEXT_CHARACTERS),
    }


def _tiles(content: ReportContent) -> list[tuple[str, str, str]]:
    """The few figures on top: what, how much, and beside what to see it."""
    tiles = []
    if content.plan:
        depth, layers = content.plan["frozen_depth"], content.plan["num_layers"]
        trained, total = content.plan["trainable_parameters"], content.plan["total_parameters"]
        detail = f"{numbers.count(trained)} of {numbers.count(total)} parameters train"
        used = content.search and content.search.recommended.cell.layers_used
        if content.search and used:
            work = content.search.recommended.relative_answer
            if work is not None:
                detail = f"an answer takes {numbers.whole_percent(work)} of the work; {detail}"
            tiles.append(("layers used", f"{used} of {content.search.num_layers}", detail))
        else:
            tiles.append(("frozen layers", f"{depth} of {layers}", detail))
    if content.search:
        tiles += _answer_tiles(content.search)
    elif content.trials:
        trial = content.trials[0]
        what = "penalties" if trial.is_solved else "epochs"
        detail = f"{numbers.count(trial.epochs)} {what} in {numbers.seconds(trial.train_seconds)}"
        tiles.append(_rate_tile(trial.learning_rate, detail))
    if content.reports:
        report = next(iter(content.reports.values()))
        name = TASKS[report.task].headline
        found = report.metrics[name]
        low, high = numbers.score(found["low"]), numbers.score(found["high"])
        title = f"{report.split} {METRICS[name].title}"
        whose = f"{len(report.folds)} models" if report.folds else "final model"
        tiles.append((title, numbers.score(found["value"]), f"{low} to {high}, {whose}"))
    return tiles


def _rate_tile(learning_rate: float | None, detail: str) -> tuple[str, str, str]:
    """At which rate it was trained; a head that was solved has none."""
    if learning_rate is None:
        return "head", "solved exactly", detail
    return "learning rate", numbers.rate(learning_rate), detail


def _answer_tiles(answer: Recommendation) -> list[tuple[str, str, str]]:
    row = answer.recommended
    if answer.recommended_place == answer.best_place:
        beside = (
            "the best of all methods and depths" if answer.methods else "the best of all depths"
        )
    else:
        best = answer.best.cell.place_words if answer.methods else answer.best_place.depth
        beside = f"best: {numbers.score(answer.best.score)} at depth {best}"
    seeds = "1 seed" if len(row.seeds) == 1 else f"{len(row.seeds)} seeds"
    compared = "the same for every seed" if row.cell.is_solved else f"compared with {seeds}"
    title = f"{scored_on(answer.folds)} {METRICS[answer.metric].title}"
    tiles = [
        _rate_tile(row.learning_rate, compared),
        (title, numbers.score(row.score), beside),
    ]
    against = answer.price_against(row)
    if against is None:
        tiles.append(("time", numbers.seconds(row.seconds_per_epoch), "per epoch"))
    elif against.seconds_per_epoch:
        named = against.cell.place_words if answer.methods else against.depth
        whole = against.depth == 0 and not answer.methods
        of = "full fine-tuning" if whole else f"depth {named}"
        detail = f"per epoch, of {of}: {numbers.seconds(row.seconds_per_epoch)}"
        ratio = row.seconds_per_epoch / against.seconds_per_epoch
        tiles.append(("time", numbers.multiple(ratio), detail))
    return tiles


def _csp_hash(script: str) -> str:
    """The hash by which the page's content security policy allows its one script."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"sha256-{digest}"
