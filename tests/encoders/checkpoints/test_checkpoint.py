"""A checkpoint is asked by variables, and says what it was read from."""

import hashlib

import numpy as np
from safetensors.numpy import load_file

from tf_finetune.encoders.locating import EncoderFiles


def variables(files, num_labels=2):
    return {v.path: v for v in files.family.variables(files.config, num_labels)}


def test_a_variable_is_read_as_in_tensorflow(tiny_encoder):
    files = EncoderFiles("tiny", tiny_encoder)
    kernel = variables(files)["bert/encoder/layer_._1/intermediate/dense/kernel"]
    stored = load_file(tiny_encoder / "model.safetensors")[kernel.tensor]

    with files.checkpoint.reading() as read:
        value = read(kernel)

    assert (value.shape, value.dtype) == (kernel.shape, np.float32)
    np.testing.assert_array_equal(value, stored.T)


def test_what_is_not_there_has_no_shape_and_its_usual_name(tiny_encoder):
    files = EncoderFiles("tiny", tiny_encoder)
    head = variables(files)["classifier/kernel"]

    assert files.checkpoint.shape(head) is None
    assert files.checkpoint.find(head) == ("classifier.weight", None, (2, 32))
    assert files.checkpoint.where(head).endswith("model.safetensors: tensor classifier.weight")


def test_a_head_has_its_own_number_of_outputs(make_encoder, tmp_path):
    values = np.arange(96, dtype=np.float32).reshape(3, 32)
    folder = make_encoder(tmp_path, lambda tensors: tensors | {"classifier.weight": values})
    files = EncoderFiles("head", folder)
    head = variables(files)["classifier/kernel"]

    assert files.checkpoint.shape(head) == (32, 3)
    assert not files.checkpoint.has(head)
    with files.checkpoint.reading() as read:
        np.testing.assert_array_equal(read(head), values.T)


def test_the_digest_is_that_of_the_file(tiny_encoder):
    content = (tiny_encoder / "model.safetensors").read_bytes()

    assert (
        EncoderFiles("tiny", tiny_encoder).checkpoint.sha256 == hashlib.sha256(content).hexdigest()
    )
