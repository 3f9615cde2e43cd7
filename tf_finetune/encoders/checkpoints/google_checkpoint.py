"""Tensors of a TensorFlow 1 checkpoint, in which Google published BERT."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from tf_finetune.encoders.checkpoints.layouts import GoogleLayout
from tf_finetune.encoders.checkpoints.tensor_file import NAMES, Tensor, TensorFile
from tf_finetune.errors import UserError

INDEX_ENDING = ".index"
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


class GoogleCheckpoint(TensorFile):
    """The files PREFIX.index and PREFIX.data-…; needs TensorFlow.

    Args:
        index: The first of them.

    Raises:
        UserError: They are damaged or incomplete, or of TensorFlow 2.
    """

    def __init__(self, index: Path):
        self._prefix = str(index).removesuffix(INDEX_ENDING)
        prefix = Path(self._prefix)
        beside = sorted(index.parent.iterdir())
        data = [path for path in beside if path.name.startswith(f"{prefix.name}.data-")]
        if not data:
            raise UserError(f"{prefix}.data-00000-of-00001: no such file; expected beside {index}")
        self.path = index
        self.paths = (index, *data)
        self.layout = GoogleLayout()
        size = sum(path.stat().st_size for path in data)
        with self._opened() as reader:
            types = reader.get_variable_to_dtype_map()
            shapes = reader.get_variable_to_shape_map()
        if _OBJECT_GRAPH in shapes:
            raise UserError(
                f"{index}: is a checkpoint of TensorFlow 2, whose names depend on the program that "
                "wrote it; accepted: Google's of TensorFlow 1",
                hint='Load it with that program and write model.save_pretrained("DIR").',
            )
        # A shape that the data has no room for would be made before it is found to be wrong.
        self.tensors = {
            name: Tensor(NAMES.get(types[name].name, types[name].name), tuple(shape))
            for name, shape in shapes.items()
            if min(shape, default=0) >= 0 and prod(shape) * types[name].size <= size
        }

    @contextmanager
    def reading(self) -> Iterator[Callable[[str], np.ndarray]]:
        """See `TensorFile`."""
        with self._opened() as reader:
            yield reader.get_tensor

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        import tensorflow as tf

        try:
            yield tf.train.load_checkpoint(self._prefix)
        except (tf.errors.OpError, RuntimeError, ValueError) as error:
            said = str(error).splitlines() or [""]
            raise UserError(
                f"{self.path}: damaged, incomplete or not a checkpoint of TensorFlow: {said[0]}"
            ) from None
