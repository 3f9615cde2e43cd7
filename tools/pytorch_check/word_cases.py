"""A tiny encoder of every family whose head answers each word, written as a run's model is.

python -m tools.pytorch_check.word_cases FOLDER

Writes for each family FOLDER/NAME-words/model, a Hugging Face folder, and ours.safetensors beside
it, as `family_cases` does: logits are of every token, text after text. What the library's head
has and ours has not, so that the folder holds zeros, is named behind "zeros/".
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file
from transformers import BertTokenizerFast

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batch import Inputs, text_rows
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.family import Family
from tf_finetune.models.building import build
from tf_finetune.models.classifier import Classifier
from tf_finetune.models.spec import spec_of
from tf_finetune.models.weights import OfRun, Pretrained
from tf_finetune.runs.model_folder import check_model_folder, read_labels, write_model_folder
from tf_finetune.tasks.tags.tags import Tags
from tools.pytorch_check.family_cases import (
    answers,
    family_settings,
    named_tokens,
    texts_of,
    write_model,
)

_TAGS = Tags(("O", "B-film", "I-film", "B-person", "I-person"))
_SPREAD = 0.2


def main(folder: str) -> None:
    """Writes all cases."""
    for name, (model_type, said) in family_settings().items():
        with tempfile.TemporaryDirectory() as encoder:
            _write_case(
                Path(folder) / f"{name}-words", Path(encoder) / "model", FAMILIES[model_type], said
            )


def _write_case(folder: Path, encoder: Path, family: Family, said: dict[str, Any]) -> None:
    files = write_model(encoder, family, said).read_by(_TAGS.pooling)
    trained = build(spec_of(ExperimentConfig(), files, _TAGS), Pretrained())
    generator = np.random.default_rng(5)
    head = [v.path for v in trained.table if v.part == "head"]
    shapes = {path: trained.by_path[path].shape for path in head}
    trained.set_values(
        (p, generator.normal(0, _SPREAD, s).astype(np.float32)) for p, s in shapes.items()
    )
    vocabulary = encoder / "vocab.txt"
    vocabulary.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab_file=str(vocabulary))
    write_model_folder(folder / "model", trained, tokenizer, _TAGS, max_length=16)
    _write_answers(folder)


def _write_answers(folder: Path) -> None:
    """What the model answers that is read from the folder."""
    files = check_model_folder(folder / "model")
    labels = read_labels(files.config, str(folder))
    if labels != _TAGS:
        raise ValueError(f"{folder}: its labels are {labels}")
    classifier = build(spec_of(ExperimentConfig(), files, labels), OfRun())
    rows, tokens = _every_token(classifier)
    is_token = tokens["tokens/attention_mask"].reshape(-1) > 0
    factors = np.random.default_rng(2).normal(size=(len(is_token), labels.num_outputs))
    factors = (factors * is_token[:, None]).astype(np.float32)
    logits, gradients = answers(classifier, rows, factors)
    arrays = tokens | {"logits": logits[is_token], "factors": factors[is_token]}
    arrays |= {f"gradients/{name}": value for name, value in gradients.items()}
    zeros = files.family.zero_tensors(labels.num_outputs, files.pooling)
    arrays |= {f"zeros/{name}": np.zeros(shape, np.float32) for name, shape in zeros.items()}
    save_file(arrays, folder / "ours.safetensors")


def _every_token(classifier: Classifier) -> tuple[Inputs, dict[str, np.ndarray]]:
    """Texts of which every token is read, padding included, and their tokens for a file."""
    ids, types, mask = texts_of(classifier)
    reads = np.broadcast_to(np.arange(ids.shape[1], dtype=np.int32), ids.shape)
    rows = text_rows(*map(tf.constant, (ids, types, mask, reads)))
    return rows, named_tokens(classifier.files, ids, types, mask)


if __name__ == "__main__":
    main(*sys.argv[1:])
