"""What the server expects to see: texts like those of training, and answers like those to them."""

import contextlib
import json
from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np

from tf_finetune.data.loading import Splits, load_splits
from tf_finetune.data.splits import Split
from tf_finetune.errors import UserError
from tf_finetune.serving.drift import Distribution
from tf_finetune.serving.loading import ServedModel
from tf_finetune.sources.records import Record
from tf_finetune.storage.files import write_json
from tf_finetune.tasks.labels import LABEL

LENGTH = "characters"
_SAMPLE_TEXTS = 2000
_SCORED_TEXTS = 1000
_FILE = "serving.json"


def reference_of(model: ServedModel) -> tuple[dict[str, Distribution], str]:
    """The distributions to watch, kept in the run's folder for the next time.

    Lengths are those of the training examples. Labels and confidence, or values, are those of
    the model's answers to held-out examples: answers are never distributed quite as labels
    are, and a model is surer of what it was trained on.

    Args:
        model: The model; some held-out texts are scored with it.

    Returns:
        The distributions by quantity, and what is not watched and why, or "".
    """
    kept = _read(model)
    if kept is not None:
        return kept, ""
    try:
        splits, _ = load_splits(model.config.data, model.trained.tokenizer)
    except (UserError, OSError) as error:
        found = _of_report(model)
        watched = "only labels are" if found else "nothing is"
        reason = error.problems[0] if isinstance(error, UserError) else error
        return found, f"{watched} watched: the run's data cannot be read ({reason})"
    found = _of_data(model, splits)
    content = {name: asdict(one) for name, one in found.items()}
    with contextlib.suppress(UserError):  # a run folder that may not be written to
        write_json(model.run.path / _FILE, {**_key(model), "reference": content})
    return found, ""


def text_length(record: Record) -> int:
    """Length of all texts of an example, in characters."""
    return sum(map(len, record.texts))


def _of_data(model: ServedModel, splits: Splits) -> dict[str, Distribution]:
    lengths = [text_length(record) for record in _sample(splits.train, _SAMPLE_TEXTS)]
    found = {LENGTH: Distribution.of_numbers(np.array(lengths))}
    like_new = splits.test or splits.validation or splits.train
    quantities = model.labels.watched(model.logits_of(_sample(like_new, _SCORED_TEXTS)))
    for quantity, values in quantities.items():
        if quantity == LABEL:
            names = model.labels.watched_names
            counts = Counter(map(str, values))
            found[LABEL] = Distribution.of_names(names, [counts[name] for name in names])
        else:
            found[quantity] = Distribution.of_numbers(np.array(values, np.float64))
    return found


def _of_report(model: ServedModel) -> dict[str, Distribution]:
    """The labels' shares from the run's report, where the data is gone."""
    path = model.run.report.with_suffix(".json")
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["data"]
        counts = data["splits"][0]["class_counts"]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return {}
    if not counts or len(counts) != len(model.labels.watched_names):
        return {}
    return {LABEL: Distribution.of_names(model.labels.watched_names, counts)}


def _key(model: ServedModel) -> dict[str, Any]:
    """What a reference is true of."""
    threshold = model.labels.threshold
    # Left out where it is as usual, so that what an older server kept is still read.
    return {
        "model": model.version,
        **({} if threshold in (None, 0.5) else {"threshold": threshold}),
    }


def _read(model: ServedModel) -> dict[str, Distribution] | None:
    """What an earlier server kept for the same model."""
    try:
        there = json.loads((model.run.path / _FILE).read_text(encoding="utf-8"))
        reference = there.pop("reference")
        if there != _key(model):
            return None
        return {name: Distribution.from_dict(one) for name, one in reference.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _sample(split: Split, most: int) -> list[Record]:
    """Examples that are spread evenly over a split; a long text as often as its rows are."""
    chosen = np.unique(np.linspace(0, len(split) - 1, min(most, len(split))).astype(np.int64))
    return split.records(chosen)
