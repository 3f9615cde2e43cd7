"""A checkpoint: the tensors of some files, asked for by the variables of a family."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tf_finetune.encoders.checkpoints.tensor_file import Tensor, TensorFile
from tf_finetune.encoders.family import Family
from tf_finetune.encoders.variables import Variable
from tf_finetune.storage.files import file_sha256


class Found(NamedTuple):
    """A variable's place in a checkpoint.

    Attributes:
        name: Of its tensor; the usual one where there is none.
        tensor: What the file says of it; None where there is none.
        expected: The shape that the tensor should have.
    """

    name: str
    tensor: Tensor | None
    expected: tuple[int, ...]


class Checkpoint:
    """Weights of an encoder, perhaps with a head; opened by `opening.open_checkpoint`.

    What there is has been read, and values are read when they are asked for.

    Args:
        file: The tensors.
        family: Of the encoder, which knows their names.
    """

    def __init__(self, file: TensorFile, family: Family):
        self._file = file
        self._family = family

    @property
    def path(self) -> Path:
        """What messages call the weights by."""
        return self._file.path

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files that hold them."""
        return self._file.paths

    @property
    def names(self) -> Iterable[str]:
        """Of all tensors."""
        return self._file.tensors

    @property
    def accepted(self) -> str:
        """Types of which a variable's values are taken, for messages."""
        *others, last = self._file.floats
        return f"{', '.join(others)} or {last}"

    def find(self, variable: Variable) -> Found:
        """Looks a variable up by each name that its tensor may have."""
        tensors, layout = self._file.tensors, self._file.layout
        names = [*layout.names(variable, self._family)]
        name = next((name for name in names if name in tensors), names[0])
        return Found(name, tensors.get(name), layout.shape(variable))

    def shape(self, variable: Variable) -> tuple[int, ...] | None:
        """Shape that a variable has here, as in TensorFlow; None unless it has values to take."""
        tensor = self.find(variable).tensor
        if tensor is None or tensor.dtype not in self._file.floats:
            return None
        return self._file.layout.shape_of(variable, tensor.shape)

    def has(self, variable: Variable) -> bool:
        """Whether a variable's values are here, in its shape."""
        return self.shape(variable) == variable.shape

    def where(self, variable: Variable) -> str:
        """A variable's tensor, for messages: its file and its name."""
        name = self.find(variable).name
        return f"{self._file.path_of(name)}: tensor {name}"

    @property
    def layers(self) -> set[int]:
        """Numbers of the encoder layers that tensors belong to."""
        found = map(self.layer_of, self._file.tensors)
        return {layer for layer in found if layer is not None}

    def layer_of(self, name: str) -> int | None:
        """Number in a tensor's name of the encoder layer that it belongs to."""
        return self._file.layout.layer_of(name, self._family)

    @contextmanager
    def reading(self) -> Iterator[Callable[[Variable], np.ndarray]]:
        """A context with a function that reads a variable: as in TensorFlow, float32.

        A head may be read in another width than the variable's, see `shape`.
        """
        with self._file.reading() as read:

            def value(variable: Variable) -> np.ndarray:
                tensor = read(self.find(variable).name).astype(np.float32, copy=False)
                return self._file.layout.value_of(variable, tensor)

            yield value

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file, hex; of several files that of their names and theirs."""
        digests = {path.name: file_sha256(path) for path in self.paths}
        if len(digests) == 1:
            return next(iter(digests.values()))
        lines = "".join(f"{name} {digest}\n" for name, digest in sorted(digests.items()))
        return hashlib.sha256(lines.encode()).hexdigest()
