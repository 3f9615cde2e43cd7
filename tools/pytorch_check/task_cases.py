"""A tiny encoder of every family for tasks with a model of the library's, as a run writes it.

python -m tools.pytorch_check.task_cases FOLDER

Writes for each family and task FOLDER/NAME-TASK/model, a Hugging Face folder, and
ours.safetensors beside it, as `family_cases` does: logits of words are of every token, text after
text; each choice is a text. What the library's head has and ours has not, so that the folder
holds zeros, is named behind "zeros/".
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file
from transformers import BertTokenizerFast

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.building import build
from tf_finetune.models.spec import spec_of
from tf_finetune.models.weights import OfRun, Pretrained
from tf_finetune.runs.model_folder import check_model_folder, read_labels, write_model_folder
from tf_finetune.tasks.choices import Choices
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.tags.tags import Tags
from tools.pytorch_check.family_cases import (
    answers,
    family_settings,
    named_tokens,
    texts_of,
    write_model,
)

_LABELS: tuple[LabelSpace, ...] = (
    Tags(("O", "B-film", "I-film", "B-person", "I-person")),
    Choices(("0", "1", "2")),
)
_SPREAD = 0.2


def main(folder: str) -> None:
    """Writes all cases."""
    for name, (model_type, said) in family_settings().items():
        family = FAMILIES[model_type]
        for labels in _LABELS:
            if labels.pooling in family.poolings:
                with tempfile.TemporaryDirectory() as encoder:
                    files = write_model(Path(encoder) / "model", family, said)
                    _write_case(Path(folder) / f"{name}-{labels.task}", files, labels)


def _write_case(folder: Path, files: EncoderFiles, labels: LabelSpace) -> None:
    spec = spec_of(ExperimentConfig(), files.read_by(labels.pooling), labels)
    trained = build(spec, Pretrained())
    generator = np.random.default_rng(5)
    new = [v.path for v in trained.table if v.part in ("pooler", "head")]
    shapes = {path: trained.by_path[path].shape for path in new}
    trained.set_values(
        (p, generator.normal(0, _SPREAD, s).astype(np.float32)) for p, s in shapes.items()
    )
    vocabulary = files.path / "vocab.txt"
    vocabulary.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab_file=str(vocabulary))
    write_model_folder(folder / "model", trained, tokenizer, labels, max_length=16)
    _write_answers(folder, labels)


def _write_answers(folder: Path, expected: LabelSpace) -> None:
    """What the model answers that is read from the folder."""
    files = check_model_folder(folder / "model")
    labels = read_labels(files.config, str(folder))
    if labels != expected:
        raise ValueError(f"{folder}: its labels are {labels}")
    classifier = build(spec_of(ExperimentConfig(), files, labels), OfRun())
    ids, types, mask = texts_of(classifier)
    reads, is_read = np.zeros_like(ids[:, :1]), np.ones(len(ids), bool)
    if labels.answers_each_read:  # every token is read, padding included
        reads = np.broadcast_to(np.arange(ids.shape[1], dtype=np.int32), ids.shape)
        is_read = mask.reshape(-1) > 0
    factors = np.random.default_rng(2).normal(size=(len(is_read), labels.num_outputs))
    factors = (factors * is_read[:, None]).astype(np.float32)
    rows = text_rows(*map(tf.constant, (ids, types, mask, reads)))
    logits, gradients = answers(classifier, rows, factors)
    arrays = named_tokens(files, ids, types, mask)
    arrays |= {"logits": logits[is_read], "factors": factors[is_read]}
    arrays |= {f"gradients/{name}": value for name, value in gradients.items()}
    zeros = files.family.zero_tensors(labels.num_outputs, files.pooling)
    arrays |= {f"zeros/{name}": np.zeros(shape, np.float32) for name, shape in zeros.items()}
    save_file(arrays, folder / "ours.safetensors")


if __name__ == "__main__":
    main(*sys.argv[1:])
