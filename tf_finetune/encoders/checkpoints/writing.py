"""Writes weights as this project does: PyTorch's layout, one safetensors file."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tf_finetune.encoders.variables import Variable


def pytorch_tensors(values: Iterable[tuple[Variable, np.ndarray]]) -> dict[str, np.ndarray]:
    """Tensors by name as PyTorch lays them out, of variables with values as in TensorFlow."""
    # A transposed view would be written in the wrong order.
    return {v.tensor: np.ascontiguousarray(v.as_tensor(x)) for v, x in values}


def write_weights(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Writes `pytorch_tensors` into a file."""
    save_file(dict(tensors), path, metadata={"format": "pt"})
