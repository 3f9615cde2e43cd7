"""Answers with the adapters that `adapter_torch_side` has made; runs in the project's `.venv`.

python -m tools.pytorch_check.adapter_reading FOLDER DIFFERENCES.json
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.locating import resolve_encoder
from tf_finetune.models.building import build
from tf_finetune.models.spec import spec_of
from tf_finetune.models.weights import OfRun
from tf_finetune.tasks.table import unnamed_labels


def main(folder: str, differences_file: str) -> None:
    """Writes by case the largest difference of a logit as JSON."""
    cases = {}
    for path in sorted(Path(folder).glob("*/*/theirs.safetensors")):
        case = path.parent
        cases[f"{case.parent.name}, {case.name}"] = {"logits": _difference(case), "of one side": []}
    Path(differences_file).write_text(json.dumps({"cases": cases}), encoding="utf-8")


def _difference(case: Path) -> float:
    theirs = load_file(case / "theirs.safetensors")
    encoder, adapter = case.parent / "encoder", case / "adapter"
    files = resolve_encoder(str(encoder), adapter=str(adapter))
    labels = unnamed_labels("single_label", theirs["logits"].shape[1])
    classifier = build(spec_of(ExperimentConfig(), files, labels), OfRun())
    ids, mask = (theirs[f"tokens/{name}"] for name in ("input_ids", "attention_mask"))
    types = theirs.get("tokens/token_type_ids", np.zeros_like(ids))
    tokens = (tf.constant(value, tf.int32) for value in (ids, types, mask))
    logits = classifier(text_rows(*tokens), training=False)
    return float(np.abs(logits - theirs["logits"]).max())


if __name__ == "__main__":
    main(*sys.argv[1:])
