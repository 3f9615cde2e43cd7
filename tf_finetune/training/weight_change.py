"""How far training moved the weights of each encoder layer."""

from collections.abc import Callable

import numpy as np

from tf_finetune.models.classifier import Classifier


def weight_changes(classifier: Classifier, seed: int) -> Callable[[], dict[str, float]]:
    """Makes a function that measures the change since before fine-tuning.

    The values before are read again from the checkpoint each time, one variable in memory
    at a time, instead of being kept twice.

    Args:
        classifier: The model.
        seed: Seed of the new variables.

    Returns:
        A function that gives, for "embeddings", "layer_00" and so on, "pooler" and "head",
        the length of the difference relative to the length before, over what trains there.
    """
    places = {
        row.path: row.part if row.layer is None else f"layer_{row.layer:02d}"
        for row in classifier.plan.rows
        if row.trainable
    }

    def measure() -> dict[str, float]:
        moved: dict[str, float] = {}
        before: dict[str, float] = {}
        only = frozenset(places)
        for path, old in classifier.initial_values(seed, only):
            difference = classifier.by_path[path].numpy()
            difference -= old
            place = places[path]
            # In place: a table of words is a large part of a model.
            squares = np.square(difference, out=difference)
            moved[place] = moved.get(place, 0.0) + float(squares.sum())
            squares = np.square(old, out=difference)
            before[place] = before.get(place, 0.0) + float(squares.sum())
        return {
            place: (moved[place] / before[place]) ** 0.5 for place in moved if before[place] > 0
        }

    return measure
