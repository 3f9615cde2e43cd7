"""Scores of parts of the texts: by their length, and by the values of columns of the data."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tf_finetune.evaluation.intervals import Estimate, with_intervals
from tf_finetune.options.evaluation import EvaluationConfig
from tf_finetune.robustness.results import Slice
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.metrics import METRICS

LENGTH = "length in tokens"
OTHERS = "(others)"
NOTHING = "(nothing)"
MOST_PARTS = 12  # of a column of names; the rest are put together
_QUARTERS = (0.25, 0.5, 0.75)


def score_slices(
    labels: LabelSpace,
    targets: np.ndarray,
    logits: np.ndarray,
    columns: Mapping[str, Sequence[object]],
    evaluation: EvaluationConfig,
) -> tuple[Slice, ...]:
    """The headline score of each part of the texts.

    Args:
        labels: What the labels are.
        targets: Of n texts.
        logits: The model's outputs for them.
        columns: By name the value of each text.
        evaluation: Says how intervals are made.
    """
    name = labels.headline
    whole = labels.score(targets, logits)[name]
    lower_is_better = METRICS[name].lower_is_better
    found = []
    for column, values in columns.items():
        for part, places in parts_of(values):
            score = with_intervals(labels, targets[places], logits[places], evaluation)[name]
            below = _is_below(score, whole, lower_is_better=lower_is_better)
            found.append(Slice(column, part, len(places), score, below))
    return tuple(found)


def _is_below(score: Estimate, whole: float, *, lower_is_better: bool) -> bool:
    return score["low"] > whole if lower_is_better else score["high"] < whole


def parts_of(values: Sequence[object]) -> Iterator[tuple[str, np.ndarray]]:
    """The parts that a column divides texts into: a part's name, and its places, int64.

    Many different numbers are parted into four of about as many texts; of many names the
    commonest have a part each.

    Args:
        values: Of each text; None and blank are nothing.
    """
    texts = [NOTHING if v is None or not str(v).strip() else str(v).strip() for v in values]
    counts = Counter(texts)
    numbers = _numbers(texts)
    if numbers is not None and len(counts) > MOST_PARTS:
        yield from _quarters(numbers)
        return
    named = [name for name, _ in counts.most_common(MOST_PARTS)]
    if len(counts) > MOST_PARTS:
        texts = [text if text in named else OTHERS for text in texts]
        named.append(OTHERS)
    elif numbers is not None:
        named.sort(key=float)
    for name in named:
        yield name, np.flatnonzero([text == name for text in texts])


def _numbers(texts: Sequence[str]) -> np.ndarray | None:
    """The numbers that all of the texts are; None if any is none."""
    try:
        numbers = np.array([float(text) for text in texts])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _quarters(numbers: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    borders = np.unique(np.quantile(numbers, _QUARTERS, method="lower"))
    part = np.searchsorted(borders, numbers)
    for number in range(len(borders) + 1):
        places = np.flatnonzero(part == number)
        if len(places):
            inside = numbers[places]
            low, high = f"{inside.min():g}", f"{inside.max():g}"
            yield (low if low == high else f"{low} to {high}"), places
