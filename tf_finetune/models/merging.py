"""What a method added, by the matrix that it stands beside, and merged with it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.method import Method

_Value = TypeVar("_Value")


def by_matrix(added: Iterable[tuple[Variable, _Value]]) -> dict[Variable, dict[str, _Value]]:
    """What belongs to what was added, such as its value, by pretrained matrix and by name."""
    beside: dict[Variable, dict[str, _Value]] = {}
    for variable, value in added:
        if variable.beside is not None:
            beside.setdefault(variable.beside, {})[variable.name] = value
    return beside


def merged(
    method: Method,
    variables: Sequence[Variable],
    added: Mapping[Variable, Mapping[str, np.ndarray]],
    read: Callable[[Variable], np.ndarray],
) -> Iterator[tuple[str, np.ndarray]]:
    """Every matrix that something was put beside, and its bias, by path, as plain weights.

    Args:
        method: The method, which merges.
        variables: Of the model.
        added: Values as in TensorFlow, from `by_matrix`.
        read: Gives the value of a pretrained variable.
    """
    biases = {(v.site, v.layers): v for v in variables if v.kind == "bias"}
    for matrix, values in added.items():
        bias = biases[matrix.site, matrix.layers]
        old = read(bias)
        kernel, new = method.merged(read(matrix), old.reshape(-1), {**values})
        yield matrix.path, kernel
        yield bias.path, new.reshape(old.shape)
