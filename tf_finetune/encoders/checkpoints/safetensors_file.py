"""Tensors of a safetensors file, read by its own library."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import ml_dtypes  # noqa: F401  with it numpy, and so safetensors, knows bfloat16
import numpy as np
from safetensors import SafetensorError, safe_open

from tf_finetune.encoders.checkpoints.layouts import PyTorchLayout, TensorFlowLayout
from tf_finetune.encoders.checkpoints.tensor_file import Tensor, TensorFile
from tf_finetune.errors import UserError


class SafetensorsFile(TensorFile):
    """One safetensors file; only its header is read at first.

    Both PyTorch's and TensorFlow's models are saved so, told apart by their names.

    Args:
        path: The file.

    Raises:
        UserError: It is cut, damaged or not a safetensors file.
    """

    def __init__(self, path: Path):
        self.path = path
        self.paths = (path,)
        with self._opened() as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            self.tensors = {
                name: Tensor(s.get_dtype(), tuple(s.get_shape())) for name, s in slices.items()
            }
        slashes = any("/" in name for name in self.tensors)
        self.layout = TensorFlowLayout() if slashes else PyTorchLayout()

    @contextmanager
    def reading(self) -> Iterator[Callable[[str], np.ndarray]]:
        """See `TensorFile`."""
        with self._opened() as file:
            yield file.get_tensor

    @contextmanager
    def _opened(self) -> Iterator[safe_open]:
        try:
            with safe_open(str(self.path), framework="np") as file:
                yield file
        except SafetensorError as error:
            raise UserError(f"{self.path}: damaged or not a safetensors file: {error}") from None
