"""What cannot be loaded is named for what it is, with what to do; nothing of it runs."""

import contextlib
import io
import json
import os
import pickle
import shutil
from collections import Counter, OrderedDict

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from tf_finetune.encoders.checkpoints.hdf5_file import Hdf5File
from tf_finetune.encoders.checkpoints.opening import open_checkpoint
from tf_finetune.encoders.checkpoints.pickled_file import PickledFile
from tf_finetune.encoders.checkpoints.safetensors_file import SafetensorsFile
from tf_finetune.encoders.checkpoints.tensor_pickle import Damaged, NotTensors, read_pickle
from tf_finetune.encoders.families.table import FAMILIES
from tf_finetune.encoders.locating import EncoderFiles, resolve_encoder
from tf_finetune.errors import UserError
from tools.reliability.torch_files import (
    Storage,
    View,
    pickled,
    whole_views,
    write_legacy,
    write_zip,
)

BERT = FAMILIES["bert"]
ONES = {"a": np.ones((2, 3), np.float32)}


@pytest.mark.parametrize(
    ("names", "what", "hint"),
    [
        ([], "has no weights", ""),
        (["training_args.bin", "trainer_state.json"], "has no weights", ""),
        (["model-00001-of-00002.safetensors"], "whose model.safetensors.index.json is missing", ""),
        (["flax_model.msgpack", "model.onnx"], "is weights of Flax", "from_flax=True"),
        (["model.onnx"], "'model.onnx' is a graph for inference (ONNX)", "the model it was made"),
        (["bert.Q4_0.gguf"], "quantised weights for inference (GGUF)", "the model it was made"),
        (["epoch=3.ckpt"], "a checkpoint of a training program such as Lightning", "with PyTorch"),
        (["my_weights.h5"], "an HDF5 file of another name than tf_model.h5", "with Keras"),
        (["model.keras"], "a whole Keras model, which can hold code", "with Keras"),
        (["bert.safetensors"], "weights of another name than model.safetensors", "Rename it."),
        (["best.pt"], "'best.pt' is a file of PyTorch", "with PyTorch"),
        (["bert_model.ckpt.data-00000-of-00001"], ".index file is missing", "Copy the .index"),
        (["checkpoint-9/x", "checkpoint-12/x"], "those of a training's steps", "checkpoint-12, wi"),
    ],
)
def test_a_folder_without_weights_says_what_it_has(tmp_path, names, what, hint):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    with pytest.raises(UserError) as caught:
        open_checkpoint(tmp_path, BERT)
    assert what in caught.value.problems[0]
    assert caught.value.problems[0].endswith(
        "accepted: a model folder with model.safetensors, tf_model.h5, pytorch_model.bin (each "
        "also in shards with its index) or bert_model.ckpt.*"
    )
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("content", "named", "written"),
    [
        ('{"base_model_name_or_path": "org/bert"}', "is 'org/bert'", "org/bert"),
        ("{}", "is not named", "BASE"),
        ("[", "is not named", "BASE"),
    ],
)
@pytest.mark.parametrize("has_config", [False, True])
def test_an_adapter_in_the_place_of_an_encoder_says_what_to_write(
    tmp_path, tiny_encoder, content, named, written, has_config
):
    (tmp_path / "adapter_config.json").write_text(content)
    (tmp_path / "adapter_model.safetensors").touch()
    if has_config:
        shutil.copy(tiny_encoder / "config.json", tmp_path)

    with pytest.raises(UserError, match=f"is an adapter of PEFT .*; its base model {named}") as e:
        resolve_encoder(str(tmp_path))
    assert f"encoder.name={written} encoder.adapter={tmp_path}" in e.value.hint


def test_whole_weights_beside_an_adapter_are_the_encoder(tmp_path, tiny_encoder):
    shutil.copytree(tiny_encoder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "adapter_config.json").write_text("{}")

    assert resolve_encoder(str(tmp_path)).num_layers == 3


def test_several_checkpoints_of_tensorflow_are_named(tmp_path):
    for name in ("model.ckpt-1.index", "model.ckpt-2.index"):
        (tmp_path / name).touch()

    with pytest.raises(UserError, match=r"holds 2 checkpoints: model\.ckpt-1\.index, model"):
        open_checkpoint(tmp_path, BERT)


def write_index(folder, content):
    (folder / "model.safetensors.index.json").write_text(
        content if isinstance(content, str) else json.dumps(content)
    )


def test_missing_shards_are_named(tmp_path):
    save_file(ONES, tmp_path / "model-1.safetensors")
    write_index(
        tmp_path,
        {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-3.s"}},
    )

    with pytest.raises(UserError, match=r"of the 3 files it names 2 are missing: model-2\."):
        open_checkpoint(tmp_path, BERT)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ([], "has no weight_map"),
        ({"weight_map": {}}, "has no weight_map"),
        ({"weight_map": {"a": "../model.safetensors"}}, r"received '\.\./model\.safetensors'; acc"),
        ({"weight_map": {"a": "/etc/passwd"}}, "received '/etc/passwd'; accepted: names of files"),
        ({"weight_map": {"a": ".."}}, r"received '\.\.'"),
        ({"weight_map": {"a": 1}}, "received int"),
    ],
)
def test_an_index_that_is_none_is_refused(tmp_path, content, message):
    write_index(tmp_path, content)

    with pytest.raises(UserError, match=message):
        open_checkpoint(tmp_path, BERT)


class Runs:
    """A pickle of it makes a folder when Python loads it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("wrapped", [lambda x: x, lambda x: {"weight": x}, lambda x: [x]])
@pytest.mark.parametrize("write", [write_zip, lambda path, x, stored: path.write_bytes(pickled(x))])
def test_a_pickle_with_code_is_refused_by_what_it_names(tmp_path, wrapped, write):
    path = tmp_path / "pytorch_model.bin"
    write(path, wrapped(Runs(tmp_path / "ran")), {})

    with pytest.raises(UserError, match=r"holds 'posix\.mkdir', which is no tensor") as caught:
        PickledFile(path)
    assert "load it in PyTorch" in caught.value.hint
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ([1, 2], "a list"),
        ({"epoch": 3}, "'epoch', a int"),
        ({"state_dict": {}}, "'state_dict', a dict"),
        (Counter("a"), "'collections.Counter'"),
        ({"a": {1, 2}}, "set"),
        ({"a": b"bytes"}, "'_codecs.encode'"),
        ({"a": 1 << 3000}, "the operation LONG4 of pickles"),
    ],
)
def test_a_pickle_with_anything_but_tensors_names_it(tmp_path, content, named):
    path = tmp_path / "pytorch_model.bin"
    write_zip(path, content, {})

    with pytest.raises(UserError, match="which is no tensor, so it is not read") as caught:
        PickledFile(path)
    assert named in caught.value.problems[0]


FLOATS = Storage("FloatStorage", "0", 6)


@pytest.mark.parametrize(
    "view",
    [
        View(FLOATS, 0, (7,), (1,)),
        View(FLOATS, 3, (4,), (1,)),
        View(FLOATS, 0, (2, 2), (1, 5)),
        View(FLOATS, 0, (10**9,), (0,)),  # one value for ever
        View(FLOATS, 0, (2,), (-1,)),
        View(FLOATS, -1, (2,), (1,)),
        View(FLOATS, 0, (2, 3), (1,)),
        View(FLOATS, 0, ("2",), (1,)),
        View(FLOATS._replace(length=10**12), 0, (2,), (1,)),
        View(FLOATS._replace(key="1"), 0, (2,), (1,)),
        View(FLOATS._replace(key="../data.pkl"), 0, (2,), (1,)),
        View(FLOATS._replace(kind="HalfStorage"), 0, (2,), (1,)),
    ],
)
@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_a_tensor_beyond_its_values_is_refused(tmp_path, view, write):
    path = tmp_path / "pytorch_model.bin"
    stored = {"0": np.arange(6, dtype=np.float32).tobytes()}
    write(path, {"a": View(FLOATS, 0, (6,), (1,)), "b": view}, stored)

    with pytest.raises(UserError, match="damaged or not a file of PyTorch's weights"):
        PickledFile(path)


def test_views_of_one_storage_are_read_by_their_strides(tmp_path):
    path = tmp_path / "pytorch_model.bin"
    views = {
        "whole": View(FLOATS, 0, (2, 3), (3, 1)),
        "turned": View(FLOATS, 0, (3, 2), (1, 3)),
        "part": View(FLOATS, 1, (2, 2), (3, 1)),
        "overlapping": View(FLOATS, 0, (2, 3), (2, 1)),
        "one": View(FLOATS, 5, (), ()),
    }
    write_zip(path, OrderedDict(views), {"0": np.arange(6, dtype=np.float32).tobytes()})

    with PickledFile(path).reading() as read:
        found = {name: read(name).tolist() for name in views}

    assert found == {
        "whole": [[0, 1, 2], [3, 4, 5]],
        "turned": [[0, 3], [1, 4], [2, 5]],
        "part": [[1, 2], [4, 5]],
        "overlapping": [[0, 1, 2], [2, 3, 4]],
        "one": 5,
    }


def test_a_packed_archive_is_refused(tmp_path):
    path = tmp_path / "pytorch_model.bin"
    write_zip(path, *whole_views({"a": np.zeros(10**6, np.float32)}), packed=True)

    assert path.stat().st_size < 10**4
    with pytest.raises(UserError, match="is packed or longer than the file"):
        PickledFile(path)


def test_a_flipped_bit_of_the_values_is_noticed(tmp_path):
    path = tmp_path / "pytorch_model.bin"
    write_zip(path, *whole_views(ONES))
    content = path.read_bytes()
    path.write_bytes(content.replace(ONES["a"].tobytes(), b"\1" + ONES["a"].tobytes()[1:]))
    file = PickledFile(path)

    with pytest.raises(UserError, match="damaged .*Bad CRC-32"), file.reading() as read:
        read("a")


def h5(path, change):
    with h5py.File(path, "w") as file:
        change(file)
    return path


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda f: f.update({"a": h5py.ExternalLink("/etc/passwd", "/")}), "'a' is a link"),
        (lambda f: f.update({"a": h5py.SoftLink("/b")}), "'a' is a link"),
        (lambda f: f.create_dataset(b"a\xff", data=np.ones(2)), "damaged or not an HDF5 .*utf-8"),
        (
            lambda f: f.create_dataset("g/a", (9,), "f4", external=[("/etc/passwd", 0, 36)]),
            "'g/a' is not stored as plain numbers",
        ),
        (
            lambda f: f.create_dataset("a", (10**6,), "f4", compression="gzip", fillvalue=0),
            "'a' is not stored as plain numbers",
        ),
        (lambda f: f.create_dataset("a", (10**9,), "f4"), "'a' is not stored as plain numbers"),
        (
            lambda f: f.create_virtual_dataset("a", h5py.VirtualLayout((9,), "f4")),
            "'a' is not",
        ),
    ],
)
def test_hdf5_that_leads_elsewhere_or_is_packed_is_refused(tmp_path, change, what):
    with pytest.raises(UserError, match=what):
        Hdf5File(h5(tmp_path / "tf_model.h5", change))


def test_groups_that_contain_each_other_end(tmp_path):
    def change(file):
        file["a/b"] = np.ones(2, np.float32)
        file["a/again"] = file["a"]

    assert set(Hdf5File(h5(tmp_path / "tf_model.h5", change)).tensors) == {"a/b"}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Bytes of a good file of each kind that PyTorch writes, and of safetensors."""
    folder = tmp_path_factory.mktemp("good")
    write_zip(folder / "zip", *whole_views(ONES))
    write_legacy(folder / "legacy", *whole_views(ONES))
    save_file(ONES, folder / "safetensors")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
@given(data=st.data())
def test_whatever_the_bytes_the_end_is_a_user_error(good, tmp_path_factory, kind, data):
    content = bytearray(good[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    path = tmp_path_factory.getbasetemp() / f"changed-{kind}"
    path.write_bytes(content)
    opened = SafetensorsFile if kind == "safetensors" else PickledFile

    with contextlib.suppress(UserError):
        file = opened(path)
        with file.reading() as read:
            for name in file.tensors:
                assert read(name).nbytes <= len(content)


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda b: b"\x80\x02" + b + b"."))
def test_whatever_the_pickle_nothing_is_raised_but_refusals(content):
    with contextlib.suppress(Damaged, NotTensors):
        read_pickle(io.BytesIO(content))


def test_an_unknown_escape_in_a_text_warns_of_nothing():
    with pytest.raises(NotTensors):
        read_pickle(io.BytesIO(b"S'\\q'\n."))


def test_protocols_that_name_by_the_stack_are_followed():
    assert read_pickle(io.BytesIO(pickle.dumps(OrderedDict(), protocol=4))) == {}
    with pytest.raises(NotTensors, match=r"posix\.mkdir"):
        read_pickle(io.BytesIO(pickle.dumps(Runs("x"), protocol=4)))


def test_a_trainers_folder_lacks_only_the_tokenizer(tiny_encoder, tmp_path):
    from tf_finetune.encoders.tokenizers import load_tokenizer

    folder = tmp_path / "checkpoint-500"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(tiny_encoder / name, folder)
    (folder / "training_args.bin").write_bytes(pickle.dumps(Runs(tmp_path / "ran")))
    files = EncoderFiles("step", folder)

    assert files.checkpoint.path == folder / "model.safetensors"
    with pytest.raises(UserError, match="has no tokenizer") as caught:
        load_tokenizer(files)
    assert "from the model that this one was trained from" in caught.value.hint
