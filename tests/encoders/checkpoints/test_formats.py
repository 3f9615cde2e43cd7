"""Whatever files weights lie in, the same values come out, bit for bit."""

import json

import h5py
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from tf_finetune.encoders.checkpoint_check import check_checkpoint
from tf_finetune.encoders.families.table import FAMILIES
from tools.reliability.torch_files import whole_views, write_legacy, write_zip

HEAD = ["classifier/kernel", "classifier/bias"]
INDICES = {
    "model.safetensors": lambda folder, name, part: save_file(part, folder / name),
    "pytorch_model.bin": lambda folder, name, part: write_zip(folder / name, *whole_views(part)),
    "tf_model.h5": lambda folder, name, part: write_h5(folder / name, part),
}


def in_two_shards(weights):
    """Writes every other tensor into another file, and an index."""

    def write(folder, tensors):
        if weights.endswith(".h5"):
            tensors = as_tensorflow(folder, tensors)
        stem, ending = weights.split(".")
        places = {}
        for number in (0, 1):
            part = dict(list(tensors.items())[number::2])
            name = f"{stem}-0000{number + 1}-of-00002.{ending}"
            INDICES[weights](folder, name, part)
            places |= dict.fromkeys(part, name)
        (folder / f"{weights}.index.json").write_text(json.dumps({"weight_map": places}))

    return write


def as_tensorflow(folder, tensors):
    """Tensors by the names and in the orientation of transformers' TensorFlow models."""
    config = json.loads((folder / "config.json").read_text())
    return {
        f"{v.path}:0": np.ascontiguousarray(
            tensors[v.tensor].T if v.transposed else tensors[v.tensor]
        )
        for v in FAMILIES["bert"].variables(config, 2)
        if v.tensor in tensors
    }


def write_h5(path, tensors, layer="", model="", **options):
    with h5py.File(path, "w") as file:
        for name, value in tensors.items():
            place = "/".join(filter(None, (layer, model, name)))
            file.create_dataset(place, data=value, **options)
        if layer:
            file[layer].attrs["weight_names"] = [f"{model}/{name}" for name in tensors]


FORMATS = {
    "safetensors": lambda folder, t: save_file(t, folder / "model.safetensors"),
    "safetensors in shards": in_two_shards("model.safetensors"),
    "safetensors of TensorFlow": lambda folder, t: save_file(
        as_tensorflow(folder, t), folder / "model.safetensors", metadata={"format": "tf"}
    ),
    "HDF5": lambda folder, t: write_h5(
        folder / "tf_model.h5", as_tensorflow(folder, t), "bert", "tf_bert_model"
    ),
    "HDF5 in shards": in_two_shards("tf_model.h5"),
    "PyTorch": lambda folder, t: write_zip(folder / "pytorch_model.bin", *whole_views(t)),
    "PyTorch in shards": in_two_shards("pytorch_model.bin"),
    "PyTorch before 1.6": lambda folder, t: write_legacy(
        folder / "pytorch_model.bin", *whole_views(t)
    ),
}


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
def test_each_format_gives_the_same_values(in_format, read_values, usual_values, write):
    files = in_format(write)

    assert check_checkpoint(files, 2, head_required=False) == HEAD
    values = read_values(files)
    assert values.keys() == usual_values.keys()
    for path, value in usual_values.items():
        np.testing.assert_array_equal(values[path], value, strict=True)


@pytest.mark.parametrize("name", ["safetensors", "PyTorch", "PyTorch before 1.6"])
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_is_widened(in_format, read_values, usual_values, name, dtype):
    def halved(tensors):
        return {key: value.astype(dtype) for key, value in tensors.items()}

    values = read_values(in_format(FORMATS[name], halved))

    for path, value in usual_values.items():
        expected = value.astype(dtype).astype(np.float32)
        np.testing.assert_array_equal(values[path], expected, strict=True)


@pytest.mark.parametrize("name", ["safetensors in shards", "PyTorch", "PyTorch before 1.6"])
def test_names_without_the_prefix_and_buffers_are_no_matter(
    in_format, read_values, usual_values, name
):
    def bare(tensors):
        bare = {key.removeprefix("bert."): value for key, value in tensors.items()}
        return {"embeddings.position_ids": np.arange(64)[None]} | bare

    values = read_values(in_format(FORMATS[name], bare))

    for path, value in usual_values.items():
        np.testing.assert_array_equal(values[path], value)


@pytest.mark.parametrize("name", ["safetensors of TensorFlow", "HDF5", "PyTorch in shards"])
def test_a_pooler_that_is_missing_is_new(in_format, name):
    files = in_format(FORMATS[name], lambda t: {k: v for k, v in t.items() if "pooler" not in k})

    new = check_checkpoint(files, 2, head_required=False)

    assert new == ["bert/pooler/dense/kernel", "bert/pooler/dense/bias", *HEAD]


@pytest.mark.parametrize("name", ["safetensors of TensorFlow", "HDF5", "PyTorch"])
def test_a_head_is_found_with_its_rows(in_format, name):
    def with_head(tensors):
        head = {"weight": np.arange(64, dtype=np.float32).reshape(2, 32)}
        head["bias"] = np.ones(2, np.float32)
        return tensors | {f"classifier.{key}": value for key, value in head.items()}

    files = in_format(FORMATS[name], with_head)
    kernel = files.family.variables(files.config, 2)[-2]

    assert check_checkpoint(files, 2, head_required=True) == []
    assert files.checkpoint.shape(kernel) == (32, 2)
    with files.checkpoint.reading() as read:
        np.testing.assert_array_equal(read(kernel), np.arange(64).reshape(2, 32).T)


def test_the_digest_of_shards_is_of_all_of_them(in_format):
    files = in_format(FORMATS["safetensors in shards"])
    before = files.checkpoint.sha256
    shard = files.path / "model-00002-of-00002.safetensors"
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)

    after = type(files)("again", files.path).checkpoint

    assert before != after.sha256
    names = ["model.safetensors.index.json", "model-00001-of-00002.safetensors", shard.name]
    assert [path.name for path in after.paths] == names


def test_safetensors_are_taken_where_there_is_more(in_format):
    def all_of_them(folder, tensors):
        FORMATS["PyTorch"](folder, tensors)
        FORMATS["HDF5"](folder, tensors)
        FORMATS["safetensors"](folder, tensors)

    files = in_format(all_of_them)

    assert files.checkpoint.path.name == "model.safetensors"
    assert "weights: model.safetensors; not read: tf_model.h5, pytorch_model.bin" in files.lines()


def test_where_there_is_one_file_of_weights_nothing_is_said_of_it(in_format):
    files = in_format(FORMATS["PyTorch in shards"])

    assert not any(line.startswith("weights") for line in files.lines())


def test_a_matrix_that_layers_share_is_taken_once(in_format, read_values, usual_values):
    def with_copy(folder, tensors):
        FORMATS["HDF5"](folder, tensors)
        name = "bert/embeddings/word_embeddings/weight:0"
        with h5py.File(folder / "tf_model.h5", "a") as file:
            file[f"another/tf_bert/{name}"] = np.zeros((103, 32), np.float32)

    values = read_values(in_format(with_copy))

    path = "bert/embeddings/word_embeddings/weight"
    np.testing.assert_array_equal(values[path], usual_values[path])
