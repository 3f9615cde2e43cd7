"""What the trials of a search have in common; a journal of anything else is refused."""

import hashlib
from dataclasses import asdict
from typing import Any

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.loading import Splits
from tf_finetune.data.splits import Split
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.weights import pretrained
from tf_finetune.options.marks import Mark


def search_identity(
    config: ExperimentConfig, files: EncoderFiles, splits: Splits
) -> dict[str, Any]:
    """Says what decides the result of a cell, beside the cell.

    The space is not in it: a search can go on with more depths, rates or seeds.

    Args:
        config: The configuration.
        files: The encoder.
        splits: The data.

    Returns:
        Nested mappings of JSON values; see `Journal`.
    """
    threshold = splits.labels.threshold
    start = pretrained(files, splits.labels, splits.train.labels)
    head = start.start_of_head(splits.labels.num_outputs)
    identity: dict[str, dict[str, Any]] = {
        "data": {
            "training_examples_sha256": _split_sha256(splits.train),
            "validation_examples_sha256": _split_sha256(splits.validation),
            **_folds(splits),
            "task": splits.labels.task,
            "label_names": list(splits.labels.names),
            # Left out where they change nothing, so that a journal that is older than they are
            # goes on.
            **({} if start.scale is None else {"standardised_targets": asdict(start.scale)}),
            **({} if threshold in (None, 0.5) else {"threshold": threshold}),
        },
        "encoder": {
            "weights_sha256": files.checkpoint.sha256,
            **({} if head.is_new else {"head_rows": list(head.rows)}),
        },
    }
    options = config.marked(Mark.STEP, Mark.COURSE, without={Mark.TRIAL})
    usual = ExperimentConfig().marked() | {"encoder.pooling": "first"}
    # Journals of earlier versions say nothing of them.
    for name in ("cache.dtype", "encoder.layers", "encoder.pooling", "method.name"):
        if options[name] == usual[name]:
            del options[name]
    for name, value in options.items():
        section, _, option = name.partition(".")
        identity.setdefault(section, {})[option] = value
    return identity


def _folds(splits: Splits) -> dict[str, str]:
    """Only where there are folds: journals of earlier versions say nothing of them."""
    if splits.folds is None:
        return {}
    return {"folds_sha256": hashlib.sha256(splits.folds.tobytes()).hexdigest()}


def _split_sha256(split: Split | None) -> str | None:
    if split is None:
        return None
    digest = hashlib.sha256(split.store.key.encode())
    digest.update(split.rows.tobytes())
    digest.update(split.labels.tobytes())
    return digest.hexdigest()
