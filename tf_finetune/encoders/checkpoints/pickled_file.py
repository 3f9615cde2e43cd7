"""Tensors of a `pytorch_model.bin`, as `torch.save` writes dictionaries of them; no PyTorch needed.

Since version 1.6 that is a zip archive, of a pickle and a member for each storage. Before, it was
a row of pickles with the storages behind them.
"""

import io
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from tf_finetune.encoders.checkpoints.layouts import PyTorchLayout
from tf_finetune.encoders.checkpoints.tensor_file import NAMES, Tensor, TensorFile, quoted
from tf_finetune.encoders.checkpoints.tensor_pickle import (
    Damaged,
    NotTensors,
    Storage,
    View,
    read_pickle,
)
from tf_finetune.errors import UserError

_DTYPES = {
    **{short: np.dtype(name) for name, short in NAMES.items() if short != "BF16"},
    "BF16": np.dtype(ml_dtypes.bfloat16),
}
# Ten times what the pickle of a large encoder takes: what it holds takes more than its bytes.
_LONGEST_PICKLE = 1 << 20
_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C


class PickledFile(TensorFile):
    """One file of `torch.save`; only the pickle is read at first.

    Args:
        path: The file.

    Raises:
        UserError: It is damaged, or holds anything but tensors.
    """

    def __init__(self, path: Path):
        self.path = path
        self.paths = (path,)
        self.layout = PyTorchLayout()
        with self._opened() as archive:
            self._views = _views_of(archive.content)
            for name, view in self._views.items():
                _check_view(view, archive, f"tensor {quoted(name)}")
        self.tensors = {n: Tensor(v.storage.dtype, v.shape) for n, v in self._views.items()}

    @contextmanager
    def reading(self) -> Iterator[Callable[[str], np.ndarray]]:
        """See `TensorFile`; a storage is in memory while one tensor of it is read."""
        with self._opened() as archive:

            def read(name: str) -> np.ndarray:
                view = self._views[name]
                _check_view(view, archive, f"tensor {quoted(name)}")
                values = np.frombuffer(archive.stored(view.storage), _dtype(view))[view.offset :]
                strides = [stride * values.itemsize for stride in view.strides]
                # `_check_view` has held the last value against the storage's end.
                return np.lib.stride_tricks.as_strided(values, view.shape, strides).copy()

            yield read

    @contextmanager
    def _opened(self) -> "Iterator[_Archive]":
        try:
            with self.path.open("rb") as file:
                is_zip = file.read(4) == b"PK\x03\x04"
                file.seek(0)
                yield _Zip(file) if is_zip else _Legacy(file)
        except NotTensors as error:
            raise UserError(
                f"{self.path}: holds {error}, which is no tensor, so it is not read; accepted: "
                "tensors alone",
                hint="A pickle can run code. Where you trust it, load it in PyTorch and write the "
                'model: model.save_pretrained("DIR").',
            ) from None
        except (Damaged, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise UserError(
                f"{self.path}: damaged or not a file of PyTorch's weights: {quoted(str(error))}"
            ) from None
        except OSError as error:
            raise UserError(f"{self.path}: cannot be read: {error.strerror}") from None


class _Archive(ABC):
    """A file of `torch.save`.

    Attributes:
        content: What its pickle holds.
    """

    content: Any

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Bytes of a storage; None if there is no such one."""

    @abstractmethod
    def stored(self, storage: Storage) -> bytes:
        """The bytes of a storage."""


class _Zip(_Archive):
    """The format of PyTorch 1.6 and later. Its members are not packed, so none is a bomb."""

    def __init__(self, file: BinaryIO):
        size = file.seek(0, io.SEEK_END)
        self._zip = zipfile.ZipFile(file)
        self._members = {info.filename: info for info in self._zip.infolist()}
        for info in self._members.values():
            plain = info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1
            if not plain or not info.file_size == info.compress_size <= size:
                raise Damaged(f"its member {info.filename} is packed or longer than the file")
        pickles = [name for name in self._members if name.split("/")[1:] == ["data.pkl"]]
        if len(pickles) != 1:
            raise Damaged("it is a zip archive without data.pkl")
        self._root = pickles[0].split("/")[0]
        order = f"{self._root}/byteorder"
        if order in self._members and self._member(order, 16) != b"little":
            raise Damaged("its byteorder is not little")
        self.content = read_pickle(io.BytesIO(self._member(pickles[0], _LONGEST_PICKLE)))

    def _member(self, name: str, longest: int) -> bytes:
        if self._members[name].file_size > longest:
            raise Damaged(f"its member {name} is longer than {longest:,} bytes")
        return self._zip.read(name)

    def size(self, key: str) -> int | None:
        """Bytes of a storage; None if there is no such one."""
        info = self._members.get(f"{self._root}/data/{key}")
        return None if info is None else info.file_size

    def stored(self, storage: Storage) -> bytes:
        """The bytes of a storage, held against the archive's checksum."""
        return self._zip.read(f"{self._root}/data/{storage.key}")


class _Legacy(_Archive):
    """The format before: number, version, system, dictionary and keys as pickles; the values."""

    def __init__(self, file: BinaryIO):
        self._file = file
        stream = io.BytesIO(file.read(_LONGEST_PICKLE))
        number = read_pickle(stream)
        if number != _MAGIC_NUMBER:
            raise Damaged("it begins with another pickle than PyTorch's")
        read_pickle(stream)
        system = read_pickle(stream)
        if not isinstance(system, dict) or system.get("little_endian") is not True:
            raise Damaged("its byte order is not little-endian")
        self.content = read_pickle(stream)
        keys = read_pickle(stream)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise Damaged("it has no list of its storages")
        self._places = self._places_of(keys, stream.tell())

    def _places_of(self, keys: list[str], start: int) -> dict[str, tuple[int, int]]:
        """First byte and length of each storage; before it stands how many values it has."""
        widths = {
            view.storage.key: _dtype(view).itemsize for view in _views_of(self.content).values()
        }
        end = self._file.seek(0, io.SEEK_END)
        places = {}
        for key in keys:
            self._file.seek(start)
            head = self._file.read(8)
            if len(head) < 8 or key not in widths:
                raise Damaged("it is cut, or lists a storage that no tensor uses")
            (count,) = struct.unpack("<q", head)
            length = count * widths[key]
            if not 0 <= length <= end - start - 8:
                raise Damaged(f"its storage {key} is longer than the file")
            places[key] = start + 8, length
            start += 8 + length
        return places

    def size(self, key: str) -> int | None:
        """Bytes of a storage; None if there is no such one."""
        return self._places[key][1] if key in self._places else None

    def stored(self, storage: Storage) -> bytes:
        """The bytes of a storage."""
        start, length = self._places[storage.key]
        self._file.seek(start)
        return self._file.read(length)


def _views_of(content: Any) -> Mapping[str, View]:
    """The tensors by name, if that is what a pickle holds.

    Raises:
        NotTensors: It is something else.
    """
    if not isinstance(content, dict):
        raise NotTensors(f"a {type(content).__name__}")
    for name, value in content.items():
        if not isinstance(value, View):
            raise NotTensors(f"{quoted(name)}, a {type(value).__name__}")
    return content


def _dtype(view: View) -> np.dtype:
    return _DTYPES[view.storage.dtype]


def _check_view(view: View, archive: _Archive, what: str) -> None:
    """Holds a tensor against the bytes that the file has for it.

    Raises:
        Damaged: It reaches beyond its storage, or is larger.
    """
    storage = view.storage
    if archive.size(storage.key) != storage.length * _dtype(view).itemsize:
        raise Damaged(f"{what} has no storage of its size")
    count = prod(view.shape)
    steps = zip(view.shape, view.strides, strict=True)
    last = view.offset + sum((length - 1) * stride for length, stride in steps)
    # A tensor that repeats values of its storage could be of any size.
    if count and (last >= storage.length or count > storage.length):
        raise Damaged(f"{what} is larger than its storage")
