"""An encoder's checkpoint with an adapter of PEFT merged into it, as each tensor is read."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np

from tf_finetune.encoders.checkpoints.checkpoint import Checkpoint, Found
from tf_finetune.encoders.checkpoints.layouts import PyTorchLayout
from tf_finetune.encoders.checkpoints.tensor_file import TensorFile, quoted
from tf_finetune.encoders.family import Family
from tf_finetune.encoders.peft.adapter import FACTORS, LENGTHS, A, Adapter, B
from tf_finetune.encoders.variables import Variable
from tf_finetune.errors import UserError
from tf_finetune.storage.files import file_sha256

_MOST_SHOWN = 3


class AdaptedCheckpoint(Checkpoint):
    """What an adapter holds whole is the adapter's, and what it adds is merged.

    Args:
        file: Weights of the encoder.
        family: Of the encoder.
        adapter: See `check_adapter`.
    """

    def __init__(self, file: TensorFile, family: Family, adapter: Adapter):
        super().__init__(file, family)
        self._adapter = adapter
        self._whole = Checkpoint(adapter.whole, family)

    @property
    def paths(self) -> tuple[Path, ...]:
        """See `Checkpoint`; the adapter's too."""
        return (*super().paths, *self._adapter.paths)

    def find(self, variable: Variable) -> Found:
        """See `Checkpoint`."""
        return self._whole.find(variable) if self._is_whole(variable) else super().find(variable)

    def shape(self, variable: Variable) -> tuple[int, ...] | None:
        """See `Checkpoint`."""
        return self._whole.shape(variable) if self._is_whole(variable) else super().shape(variable)

    def where(self, variable: Variable) -> str:
        """See `Checkpoint`."""
        return self._whole.where(variable) if self._is_whole(variable) else super().where(variable)

    @contextmanager
    def reading(self) -> Iterator[Callable[[Variable], np.ndarray]]:
        """See `Checkpoint`."""
        with (
            super().reading() as of_encoder,
            self._whole.reading() as of_whole,
            self._adapter.merging() as merge,
        ):

            def value(variable: Variable) -> np.ndarray:
                found = (of_whole if self._is_whole(variable) else of_encoder)(variable)
                module = _module(variable, self._family, self._adapter)
                if module is None:
                    return found
                if variable.kind == "bias":
                    return merge.bias(module, found)
                return merge.kernel(module, found)

            yield value

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of those of the encoder's weights and of the adapter's files, hex."""
        lines = [super().sha256, *(file_sha256(path) for path in self._adapter.paths)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _is_whole(self, variable: Variable) -> bool:
        return self._whole.find(variable).tensor is not None


def check_adapter(adapter: Adapter, variables: Sequence[Variable], family: Family) -> None:
    """Holds an adapter against the encoder that it is to be merged with.

    Args:
        adapter: The adapter.
        variables: Of the encoder with all its layers, its pooler and a head.
        family: Of the encoder.

    Raises:
        UserError: It has something for a module that the encoder lacks, or of another shape.
    """
    layout = PyTorchLayout()
    matrices = {_module(v, family, adapter): v for v in variables if v.kind == "kernel"}
    by_name = {name: v for v in variables for name in layout.names(v, family)}
    whole = adapter.whole.tensors
    unknown = [
        *(module for module in adapter.parts if module not in matrices),
        *(name for name in whole if name not in by_name),
    ]
    problems = []
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        problems.append(
            f"is for {quoted(unknown[0])}{more}, which this {family.model_type} does not have"
        )
    expected = [
        *(
            (name, adapter.tensors.tensors[name], _shapes(matrices[module])[part])
            for module, found in adapter.parts.items()
            if module in matrices
            for part, name in found.items()
        ),
        *((n, whole[n], (_whole_shape(by_name[n]),)) for n in whole if n in by_name),
    ]
    wrong = [
        f"tensor {quoted(name)} is {list(tensor.shape)}; expected, of this {family.model_type}: "
        f"{' or '.join(map(_shown, shapes))}"
        for name, tensor, shapes in expected
        if all(_differ(tensor.shape, shape) for shape in shapes)
    ]
    problems += wrong[:_MOST_SHOWN]
    if problems:
        base = adapter.config.base
        raise UserError(
            [f"encoder.adapter: {adapter.path}: {problem}" for problem in problems],
            hint="It belongs to another encoder"
            + (f": it was made for {quoted(base)}." if base else "."),
        )


def _module(variable: Variable, family: Family, adapter: Adapter) -> str | None:
    """The module of a matrix or a bias to which an adapter adds something; None: nothing."""
    if variable.kind not in ("kernel", "bias"):
        return None
    names = (name.rpartition(".")[0] for name in PyTorchLayout().names(variable, family))
    return next((name for name in names if name in adapter.parts), None)


_Shape = tuple[int | None, ...]


def _shapes(matrix: Variable) -> dict[str, tuple[_Shape, ...]]:
    """Shapes that the tensors added to a matrix may have; None: any length."""
    width, units = matrix.shape
    return {
        A: ((None, width),),
        B: ((units, None),),
        LENGTHS: ((units,),),
        FACTORS: ((units, 1), (1, width)),
    }


def _whole_shape(variable: Variable) -> _Shape:
    """That of a tensor; a head may have any number of outputs."""
    shape = variable.tensor_shape
    return (None, *shape[1:]) if variable.part == "head" else shape


def _differ(shape: tuple[int, ...], expected: _Shape) -> bool:
    pairs = zip(shape, expected, strict=False)
    return len(shape) != len(expected) or any(e not in (None, n) for n, e in pairs)


def _shown(shape: _Shape) -> str:
    return f"[{', '.join('any' if n is None else str(n) for n in shape)}]"
