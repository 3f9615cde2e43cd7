"""Writes files as PyTorch's `torch.save` does, without PyTorch; and ones that it never would."""

import io
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

_KINDS = {
    **{"float32": "FloatStorage", "float16": "HalfStorage", "bfloat16": "BFloat16Storage"},
    **{"float64": "DoubleStorage", "int64": "LongStorage", "bool": "BoolStorage"},
}
_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C


class Storage(NamedTuple):
    """Values that a file keeps apart from its pickle.

    Attributes:
        kind: Name of its class in PyTorch.
        key: Its name in the file.
        length: How many values the pickle says that there are.
    """

    kind: str
    key: str
    length: int


class View(NamedTuple):
    """A tensor, with strides in values."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def whole_views(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, View], dict[str, bytes]]:
    """Each array as a tensor with a storage of its own, and the bytes of the storages."""
    views, stored = {}, {}
    for number, (name, array) in enumerate(arrays.items()):
        storage = Storage(_KINDS[array.dtype.name], str(number), array.size)
        strides = tuple(step // array.itemsize for step in np.ascontiguousarray(array).strides)
        views[name] = View(storage, 0, array.shape, strides)
        stored[storage.key] = array.tobytes()
    return views, stored


def write_zip(path: Path, content: Any, stored: Mapping[str, bytes], packed: bool = False) -> None:
    """Writes the format of PyTorch 1.6 and later.

    Args:
        path: The file.
        content: What is pickled; `View` and `Storage` as PyTorch does, anything else as it is.
        stored: Bytes by the storages' keys.
        packed: Whether members are deflated, which PyTorch never does.
    """
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as file:
        file.writestr(f"{path.stem}/data.pkl", pickled(content))
        file.writestr(f"{path.stem}/byteorder", "little")
        for key, values in stored.items():
            file.writestr(f"{path.stem}/data/{key}", values)
        file.writestr(f"{path.stem}/version", "3\n")


def write_legacy(path: Path, content: Mapping[str, View], stored: Mapping[str, bytes]) -> None:
    """Writes the format of PyTorch before 1.6; see `write_zip`."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    lengths = {view.storage.key: view.storage.length for view in content.values()}
    with path.open("wb") as file:
        for part in (_MAGIC_NUMBER, 1001, system):
            file.write(pickle.dumps(part, protocol=2))
        file.write(pickled(content, legacy=True))
        file.write(pickle.dumps(sorted(stored), protocol=2))
        for key in sorted(stored):
            file.write(struct.pack("<q", lengths[key]) + stored[key])


def pickled(content: Any, legacy: bool = False) -> bytes:
    """The pickle of some content; see `write_zip`."""
    stream = io.BytesIO()
    with _torch_names() as named:
        _Pickler(stream, named, legacy).dump(content)
    return stream.getvalue()


class _Pickler(pickle.Pickler):
    def __init__(self, stream: io.BytesIO, named: Callable[[str], Any], legacy: bool):
        super().__init__(stream, protocol=2)
        self._named = named
        self._more = (None,) if legacy else ()

    def persistent_id(self, value: Any) -> Any:
        if type(value) is not Storage:
            return None
        kind = self._named(value.kind)
        return ("storage", kind, value.key, "cpu", value.length, *self._more)

    def reducer_override(self, value: Any) -> Any:
        if type(value) is not View:
            return NotImplemented
        return self._named("_rebuild_tensor_v2"), (*value, False, OrderedDict())


@contextmanager
def _torch_names() -> Iterator[Callable[[str], Any]]:
    """Empty modules in PyTorch's place, because pickles name only what can be imported."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    for name in _KINDS.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2() -> None: ...

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    modules = {"torch": torch, "torch._utils": utils}
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield lambda name: getattr(torch, name, None) or getattr(utils, name)
    finally:
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module
