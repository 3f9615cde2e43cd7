"""A folder whose head answers words is the library's own model of tokens, in every family.

PyTorch is asked by tools/check_pytorch --families; here it is the library's TensorFlow classes,
and for a family without such a class the names that PyTorch's has.
"""

import json

import numpy as np
import pytest
import tensorflow as tf
import transformers
from safetensors.numpy import load_file

from tf_finetune.data.batch import text_rows
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.models.building import build
from tf_finetune.models.weights import OfRun, Pretrained
from tf_finetune.runs.model_folder import check_model_folder, read_labels, write_model_folder
from tf_finetune.tasks.tags.tags import Tags

pytestmark = pytest.mark.numeric

LABELS = Tags(("O", "B-film", "I-film"))
IDS = np.int32([[2, 9, 17, 12, 6, 3], [2, 13, 3, 8, 8, 8]])
MASK = np.int32([[1] * 6, [1, 1, 1, 0, 0, 0]])
READS = np.int32([[1, 2, 4], [1, 2, 0]])
# The first has no such class, and that of the second looks for the distances under other names.
NOT_LOADED = ("gpt2", "deberta-v2")


@pytest.mark.parametrize("name", FAMILIES)
def test_the_library_s_model_of_tokens_answers_the_same(
    name, make_encoder, spec_for, tiny_tokenizer, tmp_path
):
    encoder = make_encoder(tmp_path / "encoder", model_type=name)
    files = EncoderFiles(name, encoder).read_by(LABELS.pooling)
    model = build(spec_for(files, LABELS), Pretrained())
    write_model_folder(tmp_path / "model", model, tiny_tokenizer, LABELS, max_length=32)

    written = check_model_folder(tmp_path / "model")
    reloaded = build(spec_for(written, LABELS), OfRun())

    rows = text_rows(*map(tf.constant, (IDS, 0 * IDS, MASK, READS)))
    logits = model(rows, training=False).numpy()
    np.testing.assert_array_equal(reloaded(rows, training=False), logits)
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert read_labels(config, "config.json") == LABELS
    assert config["id2label"] == {"0": "O", "1": "B-film", "2": "I-film"}
    assert config["label2id"] == {"O": 0, "B-film": 1, "I-film": 2}
    (architecture,) = config["architectures"]
    assert architecture.endswith("ForTokenClassification")
    assert hasattr(transformers, architecture)
    tensors = load_file(tmp_path / "model" / "model.safetensors")
    assert tensors["classifier.weight"].shape == (3, 32)
    assert not tensors["classifier.bias"].any()  # new, or none is added here
    if name in NOT_LOADED:
        return
    library = getattr(transformers, f"TF{architecture}").from_pretrained(str(tmp_path / "model"))
    theirs = library(input_ids=IDS, attention_mask=MASK).logits
    theirs = tf.gather(theirs, READS, batch_dims=1).numpy()
    assert np.ptp(theirs, axis=1).max() > 1e-3, "the words do not differ"
    np.testing.assert_allclose(logits.reshape(2, 3, 3), theirs, atol=1e-5)
