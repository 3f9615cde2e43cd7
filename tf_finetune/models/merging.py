"""What a method added, by the matrix that it stands beside, and merged with it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.method import Method


def by_matrix(
    added: Iterable[tuple[Variable, np.ndarray]],
) -> dict[Variable, dict[str, np.ndarray]]:
    """What was added, with its values as in TensorFlow, by pretrained matrix and by name."""
    beside: dict[Variable, dict[str, np.ndarray]] = {}
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
        added: From `by_matrix`.
        read: Gives the value of a pretrained variable.
    """
    biases = {(v.site, v.layers): v for v in variables if v.kind == "bias"}
    for matrix, values in added.items():
        bias = biases[matrix.site, matrix.layers]
        old = read(bias)
        kernel, new = method.merged(read(matrix), old.reshape(-1), {**values})
        yield matrix.path, kernel
        yield bias.path, new.reshape(old.shape)
