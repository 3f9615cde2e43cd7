"""Files that hold tensors by name: what is in them, and the values one by one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from tf_finetune.encoders.checkpoints.layouts import Layout

_LONGEST_SHOWN = 80


class Tensor(NamedTuple):
    """What a file says of a tensor before its values are read.

    Attributes:
        dtype: Such as "F32", in safetensors' words.
        shape: As it stands in the file.
    """

    dtype: str
    shape: tuple[int, ...]


# Types in numpy's words, with those of `ml_dtypes`.
NAMES = {
    **{f"float{bits}": f"F{bits}" for bits in (16, 32, 64)},
    **{f"int{bits}": f"I{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"U{bits}" for bits in (8, 16, 32, 64)},
    **{"bfloat16": "BF16", "bool": "BOOL"},
}


def quoted(name: str) -> str:
    """A name out of a file for messages: short, and without control characters."""
    return ascii(name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}…")


class TensorFile(ABC):
    """Tensors by name, in one file or in several that belong together.

    Making one reads no more than what says which tensors there are.

    Attributes:
        path: What messages name.
        paths: All files, in a fixed order.
        tensors: What there is, by name.
        layout: How variables are found in it.
    """

    path: Path
    paths: tuple[Path, ...]
    tensors: Mapping[str, Tensor]
    layout: Layout

    # Of these each value is also a float32.
    floats: ClassVar[tuple[str, ...]] = ("F32", "F16", "BF16")

    def path_of(self, name: str) -> Path:
        """The file that a tensor is in."""
        return self.path

    @abstractmethod
    def reading(self) -> AbstractContextManager[Callable[[str], np.ndarray]]:
        """A context with a function that reads one tensor, of any type, by its name.

        Raises:
            UserError: The file is damaged; in the context too.
        """
