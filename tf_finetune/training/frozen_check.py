"""Proves after training that what the plan froze did not change by a single bit."""

import hashlib
from collections.abc import Mapping

from tf_finetune.models.classifier import Classifier


def frozen_digests(classifier: Classifier) -> dict[str, str]:
    """SHA-256 of the bytes of every frozen variable, by path."""
    trained = classifier.plan.trainable_paths
    return {
        path: hashlib.sha256(variable.numpy().tobytes()).hexdigest()
        for path, variable in classifier.by_path.items()
        if path not in trained
    }


def check_frozen_unchanged(classifier: Classifier, before: Mapping[str, str]) -> None:
    """Raises if a frozen variable differs from what it was when `before` was taken.

    Raises:
        RuntimeError: It does, which is a fault of this program.
    """
    after = frozen_digests(classifier)
    changed = [path for path, digest in before.items() if after[path] != digest]
    if changed:
        raise RuntimeError(f"frozen variables changed in training: {', '.join(changed[:5])}")
