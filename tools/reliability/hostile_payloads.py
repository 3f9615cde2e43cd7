"""Files that somebody made to run code, to read or write elsewhere, or to fill the memory.

Each payload is written into a folder and opened as a job opens it. Code in it would make the
file `ran` there. `refused` payloads have to end in an error; the others are harmless when they
are passed over.
"""

import gzip
import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tf_finetune.errors import UserError
from tools.reliability.tiny_job import SIZES, make_encoder, tiny_spec


@dataclass(frozen=True)
class Payload:
    """One attack.

    Attributes:
        name: What is tried.
        plant: Writes the files into a folder, given the path of the canary.
        open: Opens them as the product does.
        refused: Whether opening has to end in an error.
        refused_by: What may be raised beside `UserError`: where the caller turns another error
            into a notice.
    """

    name: str
    plant: Callable[[Path, Path], object]
    open: Callable[[Path], object]
    refused: bool = True
    refused_by: type[Exception] = UserError


class _Touch:
    """What a pickle of it does when it is loaded: makes a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.path}'",)


def payloads() -> Iterator[Payload]:
    """All payloads but those in run folders; see `hostile_runs`."""
    yield from _weights()
    yield from _headers()
    yield from _model_code()
    yield from _configs()
    yield from _yaml()
    yield from _arrays()
    yield from _data()


def open_encoder(folder: Path) -> None:
    """Loads an encoder as `train` does."""
    from tf_finetune.encoders.tokenizers import load_tokenizer
    from tf_finetune.models.building import build
    from tf_finetune.models.weights import Pretrained

    spec = tiny_spec(folder, depth=1)
    load_tokenizer(spec.files)
    build(spec, Pretrained())


def _encoder(name: str, change: Callable[[Path, Path], object], refused: bool = True) -> Payload:
    """An encoder that is good but for one change."""

    def plant(folder: Path, ran: Path) -> None:
        make_encoder(folder)
        change(folder, ran)

    return Payload(name, plant, open_encoder, refused)


def _weights() -> Iterator[Payload]:
    def pickled(ran: Path) -> bytes:
        return pickle.dumps(_Touch(ran))

    def replaced(name: str, content: Callable[[Path], bytes]) -> Callable[[Path, Path], None]:
        def change(folder: Path, ran: Path) -> None:
            (folder / "model.safetensors").unlink()
            (folder / name).write_bytes(content(ran))

        return change

    def beside(name: str, content: Callable[[Path], bytes]) -> Callable[[Path, Path], object]:
        return lambda folder, ran: (folder / name).write_bytes(content(ran))

    for name in ("pytorch_model.bin", "model.pkl", "model.safetensors"):
        yield _encoder(f"pickle as {name}", replaced(name, pickled))
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt"):
        yield _encoder(f"pickle beside the weights: {name}", beside(name, pickled), refused=False)
    for name in ("tf_model.h5", "model.safetensors"):
        yield _encoder(f"HDF5 with a Lambda as {name}", replaced(name, _lambda_h5))
    yield _encoder("HDF5 beside the weights", beside("tf_model.h5", _lambda_h5), refused=False)
    for name in ("model.keras", "model.safetensors"):
        yield _encoder(f".keras with a Lambda as {name}", replaced(name, _lambda_keras))


def _lambda_h5(ran: Path) -> bytes:
    import tf_keras

    return _saved_lambda(tf_keras, ran, ".h5")


def _lambda_keras(ran: Path) -> bytes:
    import tf_keras

    return _saved_lambda(tf_keras, ran, ".keras")


def _saved_lambda(keras: Any, ran: Path, ending: str) -> bytes:
    import tempfile
    import warnings

    code = f"lambda x: (open({str(ran)!r}, 'w').close(), x)[1]"
    model = keras.Sequential([keras.layers.Lambda(eval(code), input_shape=(1,))])
    ran.unlink(missing_ok=True)  # building it has run it
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / f"model{ending}"
        model.save(path)
        return path.read_bytes()


def _headers() -> Iterator[Payload]:
    def header(content: bytes, length: int | None = None, data: bytes = b"") -> Payload:
        size = struct.pack("<Q", len(content) if length is None else length)
        return _encoder(
            "", lambda folder, _: (folder / "model.safetensors").write_bytes(size + content + data)
        )

    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    made = {
        "length 2^64 - 1": header(b"{}", 2**64 - 1),
        "length 10 GB": header(b"{}", 10**10),
        "length 0": header(b"", 0),
        "nested 100,000 deep": header(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        "offsets beyond the end": header(_dumps(a={**entry, "data_offsets": [0, 10**12]})),
        "offsets that overlap": header(_dumps(a=entry, b=entry), data=b"\0" * 8),
        "offsets backwards": header(_dumps(a={**entry, "data_offsets": [8, 0]}), data=b"\0" * 8),
        "shape that overflows": header(_dumps(a={**entry, "shape": [2**62, 8]}), data=b"\0" * 8),
        "negative shape": header(_dumps(a={**entry, "shape": [-2]}), data=b"\0" * 8),
        "name twice": header(
            b'{"a":%s,"a":%s}' % ((json.dumps(entry).encode(),) * 2), data=b"\0" * 8
        ),
        "unknown dtype": header(_dumps(a={**entry, "dtype": "OBJECT"}), data=b"\0" * 8),
        "name with a terminal escape": header(_dumps(**{"\x1b]0;x\x07": entry}), data=b"\0" * 8),
    }
    for name, payload in made.items():
        yield Payload(f"safetensors header: {name}", payload.plant, payload.open)


def _dumps(**entries: Any) -> bytes:
    return json.dumps(entries).encode()


_EVIL = """import pathlib
pathlib.Path({ran!r}).touch()
class Evil:
    pass
"""


def _model_code() -> Iterator[Payload]:
    def auto_map(file: str, entry: dict[str, Any]) -> Callable[[Path, Path], None]:
        def change(folder: Path, ran: Path) -> None:
            (folder / "evil.py").write_text(_EVIL.format(ran=str(ran)))
            path = folder / file
            path.write_text(json.dumps({**json.loads(path.read_text()), **entry}))

        return change

    names = ("AutoConfig", "AutoModel", "TFAutoModelForSequenceClassification")
    entry: dict[str, Any]
    for name in names:
        entry = {"auto_map": {name: "evil.Evil"}}
        yield _encoder(f"auto_map of {name}", auto_map("config.json", entry), refused=False)
    for file in ("config.json", "tokenizer_config.json"):
        entry = {"auto_map": {"AutoTokenizer": ["evil.Evil", "evil.Evil"]}}
        yield _encoder(f"auto_map of a tokenizer in {file}", auto_map(file, entry), refused=False)
    entry = {"tokenizer_class": "Evil", "auto_map": {"AutoTokenizer": ["evil.Evil", None]}}
    yield _encoder("tokenizer class of its own", auto_map("tokenizer_config.json", entry), False)
    # CVE-2026-4372: such a field made later versions of transformers fetch and run code.
    for field in ("_attn_implementation_internal", "_attn_implementation"):
        kernel = auto_map("config.json", {field: "evil/kernel"})
        yield _encoder(f"{field} of its own", kernel, refused=False)
    template = {"chat_template": "{{ ''.__class__.__mro__[1].__subclasses__() }}" * 10}
    yield _encoder("template in the tokenizer", auto_map("tokenizer_config.json", template), False)


def _configs() -> Iterator[Payload]:
    def config(**changes: Any) -> Callable[[Path, Path], object]:
        content = json.dumps({**SIZES, **changes})
        return lambda folder, _: (folder / "config.json").write_text(content)

    for key in ("num_hidden_layers", "vocab_size", "hidden_size", "intermediate_size"):
        yield _encoder(f"config.json: {key} 4 * 10^12", config(**{key: 4 * 10**12}))
    yield _encoder("config.json: activation os.system", config(hidden_act="os.system"))
    yield _encoder("config.json: sizes are true", config(num_hidden_layers=True))
    deep = '{"model_type":' * 100_000
    yield _encoder("config.json nested", lambda f, _: (f / "config.json").write_text(deep))
    yield _encoder("tokenizer.json nested", lambda f, _: (f / "tokenizer.json").write_text(deep))
    yield _encoder("weights link to a file of the system", _link_to_the_system)


def _link_to_the_system(folder: Path, ran: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("/etc/passwd")


def _yaml() -> Iterator[Payload]:
    from tf_finetune.config.loading import load_config

    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(24)
    )
    contents = {
        "python/object/apply": "data: !!python/object/apply:os.system ['touch \"{ran}\"']",
        "python/object/new": "data: !!python/object/new:os.system ['touch \"{ran}\"']",
        "python/name": "data: !!python/name:os.system",
        "python/module": "data: !!python/module:evil",
        "alias bomb": bomb,
        "alias of itself": "data: &a [*a]",
        "merge key": "base: &b {{train: x.csv}}\ndata:\n  <<: *b",
        "binary": "data: !!binary aGVsbG8=",
        "own tag": "data: !include /etc/passwd",
        "nested": "data: " + "[" * 50_000,
        "nested maps": "".join(" " * n + "a:\n" for n in range(300)),
        "5 MB": "data:\n  train: " + "x" * 5_000_000,
        "two documents": "data: {{}}\n---\ndata: {{}}",
        "terminal escape": '"\\e]0;x\\a": 1',
    }
    for name, content in contents.items():

        def plant(folder: Path, ran: Path, content: str = content) -> None:
            text = content.replace("{ran}", str(ran)).replace("{{", "{").replace("}}", "}")
            (folder / "job.yaml").write_text(text)

        yield Payload(f"YAML: {name}", plant, lambda folder: load_config(folder / "job.yaml"))


def _arrays() -> Iterator[Payload]:
    from tf_finetune.searches.running.records import load_predictions

    def objects(folder: Path, ran: Path) -> None:
        np.savez(folder / "x.npz", targets=np.array([_Touch(ran)], object), logits=np.zeros(1))

    def plain_npy(folder: Path, ran: Path) -> None:
        with (folder / "x.npz").open("wb") as file:
            np.save(file, np.array([_Touch(ran)], object))

    def bare(folder: Path, ran: Path) -> None:
        (folder / "x.npz").write_bytes(pickle.dumps(_Touch(ran)))

    def huge(folder: Path, ran: Path) -> None:
        array = io.BytesIO()
        header = {"descr": "<f4", "fortran_order": False, "shape": (2**40, 2**10)}
        np.lib.format.write_array_header_1_0(array, header)
        with zipfile.ZipFile(folder / "x.npz", "w") as file:
            for name in ("targets.npy", "logits.npy"):
                file.writestr(name, array.getvalue())

    plants = {"object array": objects, "object .npy": plain_npy, "pickle": bare, "4 PB": huge}
    for name, plant in plants.items():
        yield Payload(
            f"npz: {name}",
            plant,
            lambda folder: load_predictions(folder / "x.npz"),
            refused_by=ValueError,
        )


def _data() -> Iterator[Payload]:
    from tools.reliability.malformed import read_file

    def read(name: str, folder: Path) -> object:
        return read_file(str(folder / name), {})

    def read_set(name: str, folder: Path) -> object:
        return read_file(f"tfds:{name}", {})

    def written(file: str, content: Callable[[Path], bytes]) -> Callable[[Path, Path], object]:
        return lambda folder, ran: (folder / file).write_bytes(content(ran))

    def traversal(ran: Path) -> bytes:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr(f"../../../../../../{ran}", "out")
        return archive.getvalue()

    def bomb(part: bytes, ran: Path) -> bytes:
        return gzip.compress(part * 50 * 2**20)

    for file in ("data.csv", "data.jsonl", "data.parquet", "data.pkl"):
        plant = written(file, lambda ran: pickle.dumps(_Touch(ran)))
        yield Payload(f"pickle as {file}", plant, partial(read, file))
    for file in ("data.zip", "data.csv", "data.parquet", "data.tar.gz"):
        plant = written(file, traversal)
        yield Payload(f"archive as {file}", plant, partial(read, file))
    # Of one endless line, of many rows, and nested: a few hundred KB that hold 300 MB.
    for file, part in (
        ("data.csv.gz", b"\0" * 6),
        ("data.tsv.gz", b"x\tpos\n"),
        ("data.json.gz", b"[[[[[["),
        ("data.jsonl.gz", b'{"a":1'),
    ):
        plant = written(file, partial(bomb, part))
        yield Payload(f"bomb as {file}", plant, partial(read, file))
    for name in ("../../evil", "evil.module", "file:///etc/passwd"):
        yield Payload(
            f"tfds:{name}",
            lambda folder, ran: (folder / "evil.py").write_text(_EVIL.format(ran=str(ran))),
            partial(read_set, name),
        )
