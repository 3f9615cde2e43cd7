"""Every figure of a page, drawn once: the page inlines them and TensorBoard shows them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from tf_finetune.evaluation.report import EvaluationReport
from tf_finetune.reports.figures import confusion_figure, regression_figure
from tf_finetune.reports.page import numbers
from tf_finetune.reports.page.cells_figure import cells_figure
from tf_finetune.reports.page.content import ReportContent, TrialRow, scored_on
from tf_finetune.reports.page.curve_figures import CurveLimits, curves_figure
from tf_finetune.reports.page.labels_figure import labels_figure
from tf_finetune.reports.page.plan_figure import Place, places_of, plan_figure
from tf_finetune.reports.page.race_figure import race_figure
from tf_finetune.reports.page.race_steps import RaceStep, race_steps
from tf_finetune.reports.page.search_figures import cost_figure, score_by_depth_figure
from tf_finetune.results.learning_curve import LearningCurve
from tf_finetune.results.recommendation import Recommendation
from tf_finetune.tasks.metrics import METRICS

MOST_CLASSES = 60  # a larger confusion matrix says nothing to the eye


@dataclass(frozen=True)
class Drawing:
    """A figure with its words.

    Attributes:
        name: Unique on a page, such as "score-by-depth".
        figure: The figure.
        description: What it says, for those who do not see it.
        reading: How to read it.
    """

    name: str
    figure: Figure
    description: str
    reading: str = ""


def search_drawings(content: ReportContent) -> list[Drawing]:
    """Score against depth, against cost, the score of every cell, and the race if there was one."""
    answer = content.search
    if answer is None:
        return []
    title = f"{scored_on(answer.folds).capitalize()} {METRICS[answer.metric].title}"
    shapes = " Each method has a shape of its own." if answer.methods else ""
    measured = content.metric, answer.higher_is_better, content.scored_on
    cells = cells_figure(content.trials, answer, *measured)
    drawings = [
        Drawing(
            "score-by-depth",
            score_by_depth_figure(answer),
            f"{title} by frozen depth. {_depths_in_words(answer)}",
            "A depth whose mark lies in its shaded box is within one standard error of the "
            "best, so the difference may well be chance. The box belongs to the difference of "
            "two depths on the same examples, which is surer than either score alone."
            + _first_layers_in_words(answer)
            + shapes,
        ),
        Drawing(
            "score-by-cost",
            cost_figure(answer),
            f"{title} by seconds an epoch. On the Pareto front: depths {_front_in_words(answer)}.",
            "Further left is cheaper, further up "
            + ("better." if answer.higher_is_better else "worse: here a low score is good.")
            + " A depth off the dashed front costs more than another that scores as well. Where "
            "marks lie close together some have no name: the table has all." + shapes,
        ),
        Drawing(
            "cells",
            cells,
            f"{title} of every learning rate at every depth; the best rate of each "
            "depth is in the table of depths.",
            "Darker is better. ◆ is the recommended setting, ★ the best score, • the best of "
            "another depth. Where the best rate is at the edge and told apart from the "
            "others, one beyond may be better." + _first_layers_in_words(answer),
        ),
    ]
    steps = race_steps(content.trials)
    if steps:
        drawings.append(_race_drawing(steps, answer, content.asked_chance))
    if content.learning_curve is not None:
        drawings.append(_labels_drawing(content.learning_curve))
    return drawings


def _labels_drawing(curve: LearningCurve) -> Drawing:
    return Drawing(
        "labels",
        labels_figure(curve),
        f"Validation {METRICS[curve.metric].title} by the number of training examples. "
        + " ".join(curve.sentences),
        "Each doubling of the examples is as wide as the next. Bars are 95 % intervals from "
        "resamples of the validation examples, which all points share: a difference of two points "
        "is surer than they look.",
    )


def _race_drawing(
    steps: Sequence[RaceStep], answer: Recommendation, asked: float | None
) -> Drawing:
    end = (
        ""
        if asked is None
        else f" The dashed line is the {asked:.0%} at which a race ends; it ends sooner where more "
        "trials would hardly tell more."
    )
    counts = Counter(step.kind for step in steps if step.number)
    added = ", ".join(f"{kind.value}: {count}" for kind, count in sorted(counts.items()))
    return Drawing(
        "race",
        race_figure(steps, answer, asked),
        f"The trials of the race in their order, by depth. {added}.",
        "From left to right the trials, beside a mark its learning rate. Below, with which "
        "probability the likeliest answer so far was right; ◆ is that of what is recommended."
        + end,
    )


def curve_drawings(content: ReportContent) -> list[Drawing]:
    """Learning curves, a figure for each depth; of a run, one."""
    trials = [trial for trial in content.trials if _has_curve(content, trial)]
    limits = CurveLimits(trials, content.metric)
    drawings = []
    for depth in sorted({trial.depth for trial in trials}):
        at_depth = [trial for trial in trials if trial.depth == depth]
        chosen = [trial for trial in at_depth if content.is_recommended(trial)]
        title, thick = "", []
        if content.search is not None:
            title = f"{depth} frozen" + (", thick: recommended" if chosen else "")
            thick = chosen
        figure = curves_figure(at_depth, content.metric, thick, title, limits, content.scored_on)
        description = f"Learning curves at frozen depth {depth}. {_ends_in_words(at_depth)}"
        drawings.append(Drawing(f"curves-{depth}", figure, description))
    return drawings


def _has_curve(content: ReportContent, trial: TrialRow) -> bool:
    """Whether there is more to see than one score, which other figures of a search have."""
    lone = content.search is not None and trial.is_solved and len(trial.history) == 1
    return bool(trial.history) and not lone


def evaluation_drawings(reports: Mapping[str, EvaluationReport]) -> list[Drawing]:
    """The confusion matrix, or the predicted over the true numbers, of each split."""
    drawings = []
    for split, report in reports.items():
        if report.confusion is not None and len(report.confusion) <= MOST_CLASSES:
            figure = confusion_figure(report.confusion, [entry.name for entry in report.per_class])
            right = sum(row[i] for i, row in enumerate(report.confusion))
            drawings.append(
                Drawing(
                    f"confusion-{split}",
                    figure,
                    f"Confusion matrix of {len(report.confusion)} classes on the {split} examples: "
                    f"{right:,} of {report.n:,} are on the diagonal.",
                    "Rows are true classes, columns what the model said; off the diagonal are "
                    "its mistakes.",
                )
            )
        elif report.points is not None:
            figure = regression_figure(*np.array(report.points).reshape(-1, 2).T)
            drawings.append(
                Drawing(
                    f"predictions-{split}",
                    figure,
                    f"Predicted over true numbers on the {report.n:,} {split} examples.",
                    "On the line a prediction is exact.",
                )
            )
    return drawings


def plan_drawing(content: ReportContent) -> Drawing | None:
    """The freeze plan as a stack."""
    if content.plan is None:
        return None
    places = places_of(content.plan)
    description = "The model as a stack, the input at the bottom: " + "; ".join(map(_state, places))
    return Drawing("plan", plan_figure(places), description + ".")


def _state(place: Place) -> str:
    if not place.trained:
        return f"{place.name} frozen"
    return f"{place.name} {'trained' if place.trained == place.parameters else 'partly trained'}"


def _first_layers_in_words(answer: Recommendation) -> str:
    if all(row.cell.layers_used is None for row in answer.depths):
        return ""
    return (
        ' "First 4" uses the first four layers alone: those above are left out, and the head is '
        "solved exactly on what the fourth gives."
    )


def _depths_in_words(answer: Recommendation) -> str:
    parts = []
    for row in answer.depths:
        marks = [
            word
            for word, place in (
                ("recommended", answer.recommended_place),
                ("best", answer.best_place),
            )
            if place == row.place
        ]
        marked = f", {' and '.join(marks)}" if marks else ""
        low, high = numbers.score(row.low), numbers.score(row.high)
        parts.append(
            f"{row.cell.place_words}: {numbers.score(row.score)} ({low} to {high}{marked})"
        )
    return "; ".join(parts) + "."


def _front_in_words(answer: Recommendation) -> str:
    front = answer.pareto_front
    if answer.methods:
        return "; ".join(row.cell.place_words for row in front)
    return ", ".join(str(row.depth) for row in front)


def _ends_in_words(trials: Sequence[TrialRow]) -> str:
    def how(trial: TrialRow) -> str:
        rate = numbers.rate(trial.learning_rate)
        return "solved exactly" if trial.is_solved else f"learning rate {rate}"

    return "; ".join(
        f"{how(trial)}, seed {trial.seed}: ends at {numbers.score(trial.score)}" for trial in trials
    )


def better_direction(metric: str) -> str:
    """Which way a score is good."""
    return "lower is better" if METRICS[metric].lower_is_better else "higher is better"
