"""What a trial keeps of its model for `search.ensemble`: the weights that it trained.

What is frozen is the encoder's own, so that a trial deep down takes a few megabytes.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tf_finetune.models.classifier import Classifier
from tf_finetune.searches.running.records import WEIGHTS, TrialRecord
from tf_finetune.storage.files import write_atomically


def trained_weights(classifier: Classifier) -> dict[str, np.ndarray]:
    """All that differs between two trials of a cell, by path: a frozen head has its seed, too."""
    own = classifier.plan.trainable_paths | classifier.head_paths
    return {path: v.numpy() for path, v in classifier.by_path.items() if path in own}


def write_weights(folder: Path, weights: Mapping[str, np.ndarray]) -> str:
    """Writes them to the folder of a trial; returns their SHA-256."""
    content = save(dict(weights))
    write_atomically(folder / WEIGHTS, content)
    return hashlib.sha256(content).hexdigest()


def read_weights(trials: Path, record: TrialRecord) -> dict[str, np.ndarray] | None:
    """The weights of a trial; None where it kept none, or they are not as they were written.

    Args:
        trials: The folder of all trials.
        record: The trial.
    """
    try:
        content = (trials / record.folder / WEIGHTS).read_bytes()
        if hashlib.sha256(content).hexdigest() != record.weights_sha256:
            return None
        return load(content)
    except (OSError, SafetensorError):
        return None


def remove_weights(trials: Path, records: Iterable[TrialRecord]) -> None:
    """Removes those of some trials, where they are."""
    for record in records:
        (trials / record.folder / WEIGHTS).unlink(missing_ok=True)
