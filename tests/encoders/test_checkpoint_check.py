"""A checkpoint is held against the expected tensors before anything is built."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tf_finetune.encoders.checkpoint_check import check_checkpoint
from tf_finetune.encoders.checkpoints.safetensors_file import SafetensorsFile
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError
from tf_finetune.models.initial_values import initial_values, new_value

HEAD = ["classifier/kernel", "classifier/bias"]
POOLER = ["bert/pooler/dense/kernel", "bert/pooler/dense/bias"]
QUERY = "bert.encoder.layer.0.attention.self.query.weight"


@pytest.fixture
def encoder(make_encoder, tmp_path):
    """Makes an encoder whose tensors a function has changed."""

    def make(change=lambda tensors: tensors, **config):
        return EncoderFiles("changed", make_encoder(tmp_path / "encoder", change, **config))

    return make


def check(files, num_labels=2, head_required=False):
    return check_checkpoint(files, num_labels, head_required=head_required)


def bare(tensors):
    return {name.removeprefix("bert."): value for name, value in tensors.items()}


def tensorflow_1(tensors):
    """As google-bert/bert-base-uncased is written."""
    return {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): value
        for name, value in tensors.items()
    }


@pytest.mark.parametrize(
    "rename",
    [lambda t: t, bare, tensorflow_1, lambda t: bare(tensorflow_1(t))],
    ids=["prefixed", "bare", "gamma and beta", "bare, gamma and beta"],
)
def test_each_way_of_naming_gives_the_same_values(encoder, tiny_encoder, rename):
    usual = EncoderFiles("usual", tiny_encoder)
    files = encoder(rename)
    variables = files.family.variables(files.config, 2)

    assert check(files) == HEAD
    values = dict(initial_values(files, variables, seed=0))
    for path, value in initial_values(usual, variables, seed=0):
        np.testing.assert_array_equal(values[path], value)


def test_kernels_are_transposed_and_half_precision_is_widened(encoder):
    files = encoder(lambda t: {name: value.astype(np.float16) for name, value in t.items()})
    variables = files.family.variables(files.config, 2)
    path = "bert/encoder/layer_._1/intermediate/dense/kernel"
    stored = load_file(files.checkpoint.path)["bert.encoder.layer.1.intermediate.dense.weight"]

    ((found, value),) = initial_values(files, variables, 0, only=frozenset([path]))

    assert (found, value.shape, value.dtype) == (path, (32, 64), np.float32)
    np.testing.assert_array_equal(value, stored.T.astype(np.float32))


def test_missing_pooler_is_new(encoder):
    files = encoder(lambda t: {n: v for n, v in t.items() if "pooler" not in n})

    assert check(files) == POOLER + HEAD


def test_a_head_is_held_against_the_labels_only_where_it_is_required(encoder):
    def with_head(tensors):
        return tensors | {
            "classifier.weight": np.ones((3, 32), np.float32),
            "classifier.bias": np.ones(3, np.float32),
        }

    files = encoder(with_head)

    assert check(files, num_labels=3, head_required=True) == []
    assert check(files, num_labels=3) == check(files, num_labels=2) == HEAD
    with pytest.raises(UserError, match=r"classifier.weight is F32 \[3, 32\]; expected F32, F16"):
        check(files, num_labels=2, head_required=True)


def test_missing_head_is_an_error_where_it_is_required(tiny_encoder):
    with pytest.raises(UserError, match="tensor classifier.weight is missing"):
        check(EncoderFiles("tiny", tiny_encoder), head_required=True)


def test_missing_tensor_wrong_shape_and_wrong_type_are_named_together(encoder):
    def damage(tensors):
        del tensors["bert.embeddings.LayerNorm.weight"]
        tensors[QUERY] = np.zeros((32, 31), np.float32)
        tensors["bert.pooler.dense.bias"] = np.zeros(32, np.int64)
        return tensors

    files = encoder(damage)

    with pytest.raises(UserError, match="do not belong to the config.json") as caught:
        check(files)
    where = files.checkpoint.path
    assert caught.value.problems == [
        f"{where}: tensor bert.embeddings.LayerNorm.weight is missing; expected F32, F16 "
        "or BF16 [32]",
        f"{where}: tensor {QUERY} is F32 [32, 31]; expected F32, F16 or BF16 [32, 32]",
        f"{where}: tensor bert.pooler.dense.bias is I64 [32]; expected F32, F16 or BF16 [32]",
    ]


def test_layers_that_the_configuration_leaves_out_are_refused(encoder):
    files = encoder()
    config = files.config | {"num_hidden_layers": 2}
    (files.path / "config.json").write_text(json.dumps(config))
    files = EncoderFiles("cut", files.path)

    with pytest.raises(UserError, match="holds encoder layer 2; expected layers 0 to 1"):
        check(files)


def test_layers_that_the_checkpoint_lacks_are_told_at_once(encoder):
    files = encoder(num_hidden_layers=5)

    with pytest.raises(UserError, match="do not belong to the config.json") as caught:
        check(files)
    assert caught.value.problems == [
        f"{files.checkpoint.path}: holds no encoder layer 3 to 4; expected layers 0 to 4, as "
        "num_hidden_layers of config.json says"
    ]


def test_of_an_encoder_that_is_cut_the_layers_above_may_be_missing(encoder):
    def without(layer):
        inside = f"encoder.layer.{layer}."
        return encoder(lambda tensors: {n: v for n, v in tensors.items() if inside not in n})

    def cut(files):
        return replace(files, wanted_layers=2)

    assert check(cut(encoder())) == check(cut(without(2))) == HEAD
    with pytest.raises(UserError, match="holds no encoder layer 1; expected layers 0 to 2"):
        check(cut(without(1)))
    with pytest.raises(UserError, match="holds encoder layer 2; expected layers 0 to 1"):
        check(replace(encoder(num_hidden_layers=2), wanted_layers=1))


def test_many_problems_are_counted(encoder):
    files = encoder(lambda tensors: {QUERY: tensors[QUERY]})

    with pytest.raises(UserError, match="more tensors") as caught:
        check(files)
    # Layers 1 and 2 are missing; of the embeddings' 5 variables and layer 0's 16 all but one.
    assert len(caught.value.problems) == 9
    assert caught.value.problems[-1] == "… and 13 more tensors"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not this", b"\xff" * 64])
def test_a_file_that_is_not_safetensors_is_refused(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)

    with pytest.raises(UserError, match="damaged or not a safetensors file"):
        SafetensorsFile(path)


def test_cut_file_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({"a": np.zeros(1000, np.float32)}, path)
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(UserError, match="damaged or not a safetensors file"):
        SafetensorsFile(path)


def test_weights_of_something_else_are_told_as_a_whole(encoder):
    files = encoder(lambda tensors: {f"decoder.{name}": value for name, value in tensors.items()})

    with pytest.raises(UserError, match=r"holds no tensor of bert, .* received: 'decoder\.bert\.e"):
        check(files)


def test_new_values_are_a_function_of_seed_and_path(tiny_encoder):
    files = EncoderFiles("tiny", tiny_encoder)
    *_, pooler, _, head, bias = files.family.variables(files.config, 2)

    value = new_value(pooler, files, seed=1)

    np.testing.assert_array_equal(value, new_value(pooler, files, seed=1))
    assert not np.array_equal(value, new_value(pooler, files, seed=2))
    assert not np.array_equal(value[:, :2], new_value(head, files, seed=1))
    # Normal with deviation 0.02, cut at two deviations, which leaves 0.88 of it.
    assert np.abs(value).max() < 0.04
    assert value.std() == pytest.approx(0.88 * 0.02, rel=0.05)
    np.testing.assert_array_equal(new_value(bias, files, seed=1), [0, 0])
