"""What decides the answers of a prediction, so that only the same one is gone on with."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.chunks import CHUNK_CHARACTERS
from tf_finetune.options.marks import Mark
from tf_finetune.prediction.streaming import CHUNK_TEXTS
from tf_finetune.storage.files import file_sha256


def describe_prediction(
    manifest: Path, config: ExperimentConfig, top_k: int | None, at_least: float | None = None
) -> dict[str, Any]:
    """What decides the answers besides the texts, which are told by their digest.

    Args:
        manifest: Checksums of the model folder.
        config: The configuration.
        top_k: As for `answers`.
        at_least: Of answers that are marked, the probability that makes them sure.
    """
    return {
        "model": file_sha256(manifest),
        **config.marked(Mark.ANSWER),
        "tensorflow": version("tensorflow"),
        "--top-k": top_k,
        **({} if at_least is None else {"--at-least": at_least}),
        "texts a chunk": CHUNK_TEXTS,
        "characters a chunk": CHUNK_CHARACTERS,
    }
