"""A tiny encoder of every family with random weights, and what it answers; runs in `.venv`.

python -m tools.pytorch_check.family_cases FOLDER

Writes for each family FOLDER/NAME/model, a Hugging Face folder, and FOLDER/NAME/ours.safetensors:
tokens of some texts, logits, factors, and the gradient of the sum of factors times logits with
respect to every variable, by the names and in the layout of PyTorch.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batch import Inputs, text_rows
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.family import Family
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.building import build
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.spec import spec_of
from tf_finetune.models.weights import OfRun
from tf_finetune.tasks.table import unnamed_labels

_SIZES = {
    "vocabulary": 60,
    "hidden": 32,
    "layers": 3,
    "heads": 4,
    "inner": 64,
    "positions": 40,
    "types": 2,
    "embedding": 16,
    "groups": 2,
}
LABELS = 3
_PADDING = 0  # where the library's configuration knows none
# The longest text where nothing bounds one: longer than what the encoder was made for.
_LONGEST = 50
# Cases beside those of the families' defaults: their model_type, and what else config.json says.
_OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "deberta-v3": (
        "deberta-v2",
        {
            "share_att_key": True,
            "position_biased_input": False,
            "type_vocab_size": 0,
            "position_buckets": 16,
            "norm_rel_ebd": "layer_norm",
        },
    )
}


def main(folder: str) -> None:
    """Writes all cases."""
    for name, (model_type, said) in family_settings().items():
        _write_case(Path(folder) / name, FAMILIES[model_type], said)


def family_settings() -> dict[str, tuple[str, dict[str, Any]]]:
    """By the name of a case its model_type, and what else config.json says."""
    return {name: (name, {}) for name in FAMILIES} | _OTHERS


def _write_case(folder: Path, family: Family, said: dict[str, Any]) -> None:
    files = write_model(folder / "model", family, said)
    spec = spec_of(ExperimentConfig(), files, unnamed_labels("single_label", LABELS))
    classifier = build(spec, OfRun())
    ids, types, mask = texts_of(classifier)
    factors = np.random.default_rng(2).normal(size=(len(ids), LABELS)).astype(np.float32)
    rows = text_rows(*map(tf.constant, (ids, types, mask)))
    logits, gradients = answers(classifier, rows, factors)
    arrays = named_tokens(files, ids, types, mask) | {"logits": logits, "factors": factors}
    arrays |= {f"gradients/{name}": value for name, value in gradients.items()}
    save_file(arrays, folder / "ours.safetensors")


def write_model(folder: Path, family: Family, said: dict[str, Any]) -> EncoderFiles:
    """Writes a model with random weights, a head among them.

    Args:
        folder: It goes there.
        family: Its family.
        said: What else config.json says.
    """
    keys = family.size_keys.items()
    accepted = family.accepted.items()
    config = {
        "model_type": family.model_type,
        "architectures": [family.classifier_class.removeprefix("TF")],
        **{key: _SIZES[name] for name, key in keys},
        "id2label": {str(label): f"LABEL_{label}" for label in range(LABELS)},
        "label2id": {f"LABEL_{label}": label for label in range(LABELS)},
        "problem_type": "single_label_classification",
        **{key: a.values[0] for key, a in accepted if a.default not in a.values},
        **said,
    }
    if family.pooling == "last":
        config["pad_token_id"] = _PADDING  # by which PyTorch finds the last token
    generator = np.random.default_rng(0)
    tensors = {}
    for variable in family.variables(config, LABELS):
        around = 1.0 if variable.path.endswith("/gamma") else 0.0
        value = generator.normal(around, 0.2, variable.tensor_shape)
        tensors[variable.tensor] = value.astype(np.float32)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return EncoderFiles(str(folder), folder)


def texts_of(classifier: Classifier) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Texts up to the longest that there are positions for; each a pair where there are types.

    Returns:
        Ids, types and mask, [texts, tokens] int32.
    """
    sizes = classifier.files.sizes
    padding = classifier.wrapped.config.pad_token_id or _PADDING
    longest = min(sizes.positions, _LONGEST)
    lengths = np.array([longest, 17, 6, 3])
    mask = (np.arange(longest) < lengths[:, None]).astype(np.int32)
    ids = np.random.default_rng(1).integers(5, sizes.vocabulary, mask.shape)
    types = mask * (np.arange(longest) >= 2) * (sizes.types > 1)
    return np.where(mask, ids, padding).astype(np.int32), types.astype(np.int32), mask


def named_tokens(
    files: EncoderFiles, ids: np.ndarray, types: np.ndarray, mask: np.ndarray
) -> dict[str, np.ndarray]:
    """The tokens of texts for a file, by the names of PyTorch's arguments behind "tokens/"."""
    tokens = {"input_ids": ids, "attention_mask": mask}
    if files.sizes.types > 1:
        tokens["token_type_ids"] = types
    return {f"tokens/{name}": value.astype(np.int64) for name, value in tokens.items()}


def answers(
    classifier: Classifier, rows: Inputs, factors: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Logits of rows, and the gradients of their sum, each times its factor, by tensor."""
    with tf.GradientTape() as tape:
        logits = classifier(rows, training=False)
        total = tf.reduce_sum(tf.constant(factors) * logits)
    variables: dict[str, Any] = {v.path: v for v in classifier.table}
    paths = list(variables)
    found = tape.gradient(total, [classifier.by_path[path] for path in paths])
    gradients = {}
    for path, gradient in zip(paths, found, strict=True):
        value = variables[path].as_tensor(tf.convert_to_tensor(gradient).numpy())
        gradients[variables[path].tensor] = np.ascontiguousarray(value)
    return logits.numpy(), gradients


if __name__ == "__main__":
    main(*sys.argv[1:])
