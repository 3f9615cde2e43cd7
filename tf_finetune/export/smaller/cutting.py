"""A model folder with fewer layers or heads, cut from another without loading a model."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from tf_finetune.encoders.checkpoints.opening import WEIGHTS_FILE
from tf_finetune.encoders.checkpoints.writing import pytorch_tensors, write_weights
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.variables import Variable
from tf_finetune.runs.model_folder import ADDED_FILE
from tf_finetune.storage.manifests import MANIFEST, write_manifest

Heads = Mapping[int, tuple[int, ...]]


def write_cut(files: EncoderFiles, folder: Path, layers: int, heads: Heads) -> EncoderFiles:
    """Writes the model of the first layers, with some heads silenced.

    A silenced head keeps its place: what its values are multiplied with is zero, so that it
    adds nothing. Every program that reads the folder reads this one too, which removed heads
    would not allow (transformers 5 knows no `pruned_heads`, its TensorFlow models never did);
    `silent_heads` takes them out of a graph.

    Args:
        files: A checked model folder.
        folder: An empty folder.
        layers: How many layers stay.
        heads: Heads to silence, by layer.

    Returns:
        The new folder.
    """
    config = files.family.with_layers(files.config, layers)
    width = files.sizes.hidden // files.sizes.heads

    def values() -> Iterator[tuple[Variable, np.ndarray]]:
        with files.checkpoint.reading() as read:
            outputs = len(config["id2label"])
            for variable in files.family.variables(config, outputs, files.pooling):
                value = read(variable)
                if (variable.site, variable.kind) == ("attention_output", "kernel"):
                    for layer in variable.layers:
                        value = _silenced(value, heads.get(layer, ()), width)
                yield variable, value

    write_weights(folder / WEIGHTS_FILE, pytorch_tensors(values()))
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    for path in files.path.iterdir():
        if path.is_file() and path.name not in (WEIGHTS_FILE, ADDED_FILE, "config.json", MANIFEST):
            shutil.copyfile(path, folder / path.name)
    write_manifest(folder)
    return EncoderFiles(str(folder), folder)


def _silenced(matrix: np.ndarray, heads: tuple[int, ...], width: int) -> np.ndarray:
    """The matrix [heads * width, hidden] behind the heads, zero for some of them."""
    changed = matrix.copy()
    for head in heads:
        changed[head * width : (head + 1) * width] = 0.0
    return changed
