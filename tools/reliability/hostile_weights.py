"""Weights that somebody made to do harm: pickles, HDF5 files and indices of shards."""

import json
import os
import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tools.reliability.hostile_payloads import Payload, open_encoder
from tools.reliability.tiny_job import make_encoder
from tools.reliability.torch_files import Storage, View, pickled, write_legacy, write_zip

_FLOATS = Storage("FloatStorage", "0", 6)
_WHOLE = View(_FLOATS, 0, (6,), (1,))
_STORED = {"0": bytes(24)}
_ENCODER_NAME = "bert.embeddings.LayerNorm.weight"

Plant = Callable[[Path, Path], object]


class _Calls:
    """What a pickle of it calls when Python loads it."""

    def __init__(self, function: Callable[..., Any], *arguments: Any):
        self.called = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.called


def weight_payloads() -> Iterator[Payload]:
    """All payloads; each is the only weights of an encoder."""
    yield from _pickles()
    yield from _archives()
    yield from _hdf5()
    yield from _indices()


def _encoder(name: str, change: Plant) -> Payload:
    def plant(folder: Path, ran: Path) -> None:
        make_encoder(folder)
        (folder / "model.safetensors").unlink()
        change(folder, ran)

    return Payload(f"weights: {name}", plant, open_encoder)


def _torch(name: str, content: Callable[[Path], bytes]) -> Payload:
    """A pickle in an archive as PyTorch writes it."""

    def change(folder: Path, ran: Path) -> None:
        with zipfile.ZipFile(folder / "pytorch_model.bin", "w") as file:
            file.writestr("archive/data.pkl", content(ran))
            file.writestr("archive/data/0", _STORED["0"])

    return _encoder(f"PyTorch's archive, {name}", change)


def _pickles() -> Iterator[Payload]:
    def touch(ran: Path) -> _Calls:
        return _Calls(os.system, f"touch '{ran}'")

    def in_a_value(ran: Path) -> bytes:
        return pickled({"a": touch(ran)})

    def evaluated(ran: Path) -> bytes:
        return pickled(_Calls(eval, f"open({str(ran)!r}, 'w').close()"))

    yield _torch("a call", lambda ran: pickled(touch(ran)))
    yield _torch("a call in a value", in_a_value)
    yield _torch("a call of eval", evaluated)
    yield _torch("a call by protocol 4", lambda ran: pickle.dumps(touch(ran), protocol=4))
    opcodes: Mapping[str, bytes] = {
        "INST": b"(S'touch \"%s\"'\nios\nsystem\n.",
        "OBJ": b"(cos\nsystem\nS'touch \"%s\"'\no.",
        "NEWOBJ": b"\x80\x02cos\nsystem\nX\x01\0\0\0a\x85\x81.",
        "a name with dots": b"\x80\x04\x8c\x02os\x8c\x0bpath.system\x93.",
        "an extension": b"\x80\x02\x82\x01.",
        "persistent text": b"Pos.system\n.",
        "a function's state": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x01\0\0\0aK\x01sb.",
        "a call of a storage": b"\x80\x02ctorch\nFloatStorage\n)R.",
        "a text of 4 GB": b"\x80\x02X\xff\xff\xff\xff.",
        "1,000,000 dictionaries": b"\x80\x02" + b"}" * 1_000_000 + b".",
        "2,000,000 dictionaries": b"\x80\x02" + b"}" * 2_000_000 + b".",
        "tuples of tuples": b"\x80\x02)" + b"q\0h\0\x86" * 10_000 + b".",
        "no end": b"\x80\x02}" + b"q\0" * 100,
        "nothing": b"",
    }
    for name, code in opcodes.items():
        yield _torch(name, partial(_aimed, code))


def _aimed(code: bytes, ran: Path) -> bytes:
    """A pickle with the canary's path in it."""
    return code.replace(b"%s", str(ran).encode())


def _archives() -> Iterator[Payload]:
    def written(write: Callable[..., object], view: View) -> Plant:
        content = {"a": _WHOLE, _ENCODER_NAME: view}
        return lambda folder, _: write(folder / "pytorch_model.bin", content, _STORED)

    for form, write in (("", write_zip), (" before 1.6", write_legacy)):
        views = {
            "a view of 4 TB": View(_FLOATS, 0, (10**6, 10**6), (0, 0)),
            "a view beyond the end": View(_FLOATS, 0, (6,), (10**9,)),
            "an offset before the start": View(_FLOATS, -4, (6,), (1,)),
            "a storage of 4 TB": View(_FLOATS._replace(length=10**12), 0, (10**12,), (1,)),
            "a storage elsewhere": View(_FLOATS._replace(key="../../x"), 0, (6,), (1,)),
        }
        for name, view in views.items():
            yield _encoder(f"PyTorch{form}: {name}", written(write, view))

    def bomb(folder: Path, ran: Path) -> None:
        length = 100_000_000
        view = View(Storage("FloatStorage", "0", length), 0, (length,), (1,))
        write_zip(folder / "pytorch_model.bin", {"a": view}, {"0": bytes(4 * length)}, packed=True)

    def overlong(folder: Path, ran: Path) -> None:
        path = folder / "pytorch_model.bin"
        write_zip(path, {"a": _WHOLE}, _STORED)
        content = path.read_bytes()
        listed = content.rindex(b"pytorch_model/data/0") - 46  # of the directory at the end
        sizes = (2**32 - 2).to_bytes(4, "little") * 2
        path.write_bytes(content[: listed + 20] + sizes + content[listed + 28 :])

    def code_first(folder: Path, ran: Path) -> None:
        call = pickle.dumps(_Calls(os.system, f"touch '{ran}'"), protocol=2)
        (folder / "pytorch_model.bin").write_bytes(call)

    yield _encoder("a zip that unpacks to 400 MB", bomb)
    yield _encoder("a zip whose member says 4 GB", overlong)
    yield _encoder("a pickle before PyTorch's number", code_first)


def _hdf5() -> Iterator[Payload]:
    def written(change: Callable[[h5py.File], object]) -> Plant:
        def write(folder: Path, ran: Path) -> None:
            with h5py.File(folder / "tf_model.h5", "w") as file:
                change(file)

        return write

    name = "bert/tf/bert/embeddings/LayerNorm/gamma:0"
    outside = [("/etc/passwd", 0, 64)]
    changes: Mapping[str, Callable[[h5py.File], object]] = {
        "a link to another file": lambda f: f.update({name: h5py.ExternalLink("/etc/passwd", "/")}),
        "a link inside": lambda f: f.update({name: h5py.SoftLink("/else")}),
        "values of another file": lambda f: f.create_dataset(name, (16,), "f4", external=outside),
        "a virtual dataset": lambda f: f.create_virtual_dataset(
            name, h5py.VirtualLayout((16,), "f4")
        ),
        "4 TB that are not there": lambda f: f.create_dataset(name, (10**12,), "f4"),
        "400 MB, packed": lambda f: f.create_dataset(
            name, data=np.zeros(10**8, np.float32), compression="gzip"
        ),
        "a group in itself": lambda f: f.update({"a/b/c": f.create_group("a")}),
        "texts for values": lambda f: f.create_dataset(name, data=["x"] * 16),
        "objects for values": lambda f: f.create_dataset(name, (16,), h5py.ref_dtype),
    }
    for what, change in changes.items():
        yield _encoder(f"HDF5: {what}", written(change))


def _indices() -> Iterator[Payload]:
    def index(content: bytes) -> Plant:
        return lambda folder, _: (folder / "model.safetensors.index.json").write_bytes(content)

    def endless(folder: Path, ran: Path) -> None:
        index(json.dumps({"weight_map": {"a": "model-1.safetensors"}}).encode())(folder, ran)
        (folder / "model-1.safetensors").symlink_to("/dev/zero")

    for file in ("../other/model.safetensors", "/etc/passwd", "..", "\x1b]0;x\x07"):
        content = json.dumps({"weight_map": {"a": file}}).encode()
        yield _encoder(f"index that names {file!r}", index(content))
    yield _encoder("index nested 100,000 deep", index(b'{"weight_map":' * 100_000))
    yield _encoder("index of an endless shard", endless)
