"""What decides the answers of a prediction, so that only the same one is gone on with."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from tf_finetune.config.sections import ExperimentConfig
from tf_finetune.data.chunks import CHUNK_CHARACTERS
from tf_finetune.prediction.streaming import CHUNK_TEXTS
from tf_finetune.storage.files import file_sha256


def describe_job(manifest: Path, config: ExperimentConfig, top_k: int | None) -> dict[str, Any]:
    """What decides the answers besides the texts, which are told by their digest.

    Args:
        manifest: Checksums of the model folder.
        config: The configuration.
        top_k: As for `answers`.
    """
    threshold = config.evaluation.threshold
    return {
        "model": file_sha256(manifest),
        "data.max_length": config.data.max_length,
        "evaluation.batch_size": config.evaluation.batch_size,  # moves the last digits
        "training.precision": config.training.precision,
        "training.strategy": config.training.strategy,
        "tensorflow": version("tensorflow"),
        "--top-k": top_k,
        **({} if threshold == 0.5 else {"evaluation.threshold": threshold}),
        "texts a chunk": CHUNK_TEXTS,
        "characters a chunk": CHUNK_CHARACTERS,
    }
