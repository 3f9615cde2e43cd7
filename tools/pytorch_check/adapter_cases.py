"""A tiny encoder of every family, what each method adds to it, and what it answers; in `.venv`.

python -m tools.pytorch_check.adapter_cases FOLDER [FAMILY ...]

Writes for each family FOLDER/FAMILY/encoder, a Hugging Face folder, and for each setting of a
method that PEFT has FOLDER/FAMILY/SETTING/adapter, a folder of PEFT, and ours.safetensors: tokens
of some texts and the logits of the merged model.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file
from transformers import BertTokenizerFast

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.export.peft_folder import write_adapter
from tf_finetune.methods.table import METHODS
from tf_finetune.models.building import build
from tf_finetune.models.spec import spec_of
from tf_finetune.models.weights import OfRun, Pretrained
from tf_finetune.runs.model_folder import check_model_folder, write_model_folder
from tf_finetune.tasks.table import unnamed_labels
from tools.pytorch_check.family_cases import (
    LABELS,
    family_settings,
    named_tokens,
    texts_of,
    write_model,
)

_ALL = ["query", "key", "value", "output", "up", "down"]
# Beside the usual setting of each method.
_OTHERS: dict[str, dict[str, Any]] = {
    "lora-all": {"name": "lora", "rank": 3, "alpha": 5, "rank_stabilised": True, "targets": _ALL},
    "dora": {"name": "lora", "weight_decomposed": True, "targets": ["key", "output", "down"]},
}
_SPREAD = 0.2  # of what a training would have added
_KEPT = 0.3  # share of values that stay as they began; of AdaLoRA's, ranks that were dropped
_LABEL_SPACE = unnamed_labels("single_label", LABELS)


def _settings() -> dict[str, dict[str, Any]]:
    """Section `method` by the name of a case."""
    usual = {name: {"name": name} for name, kind in METHODS.items() if not kind.not_in_peft}
    return usual | _OTHERS


def main(folder: str, *families: str) -> None:
    """Writes the cases of some families, or of all."""
    for name, (model_type, said) in family_settings().items():
        if not families or name in families:
            files = write_model(Path(folder) / name / "encoder", FAMILIES[model_type], said)
            for setting, method in _settings().items():
                _write_case(Path(folder) / name / setting, files, method)


def _write_case(folder: Path, files: EncoderFiles, method: dict[str, Any]) -> None:
    depth = files.depths[1] if len(files.depths) > 2 else 0
    config = ExperimentConfig.model_validate({"method": method, "freeze": {"depth": depth}})
    classifier = build(spec_of(config, files, _LABEL_SPACE), Pretrained())
    classifier.set_values(_trained(classifier))
    model = folder / "model"
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab_file=str(folder / "vocab.txt"))
    write_model_folder(model, classifier, tokenizer, _LABEL_SPACE, max_length=16)
    (folder / "adapter").mkdir()
    opened = check_model_folder(model)
    write_adapter(folder / "adapter", spec_of(config, opened, _LABEL_SPACE), files)
    plain = build(spec_of(ExperimentConfig(), opened, _LABEL_SPACE), OfRun())
    tokens = texts_of(plain)
    logits = plain(text_rows(*map(tf.constant, tokens)), training=False).numpy()
    save_file(named_tokens(files, *tokens) | {"logits": logits}, folder / "ours.safetensors")


def _trained(classifier: Any) -> Iterator[tuple[str, np.ndarray]]:
    """What trains, moved at random from where it began."""
    generator = np.random.default_rng(4)
    for path, value in classifier.trainable_values().items():
        moved = generator.normal(0, _SPREAD, value.shape) * (generator.random(value.shape) > _KEPT)
        yield path, value + moved.astype(np.float32)


if __name__ == "__main__":
    main(*sys.argv[1:])
