"""The values of a trained model as plain weights, what its method added merged into them."""

from collections.abc import Iterator

import numpy as np

from tf_finetune.encoders.variables import Variable
from tf_finetune.models.planned_model import PlannedModel


def handed_on(model: PlannedModel) -> Iterator[tuple[Variable, np.ndarray]]:
    """Variables and values, float32, that a model of the same answers is made of.

    Where the method merges, these are the pretrained variables alone.

    Args:
        model: The trained model.
    """
    method = model.plan.method
    merged = dict(_merged(model)) if method.merges else {}
    for variable in model.table:
        if variable.beside is None or not method.merges:
            value = merged.get(variable.path)
            yield variable, model.by_path[variable.path].numpy() if value is None else value


def added_values(model: PlannedModel) -> Iterator[tuple[Variable, np.ndarray]]:
    """What the method added, with its values, float32."""
    for variable in model.plan.added:
        yield variable, model.by_path[variable.path].numpy()


def _merged(model: PlannedModel) -> Iterator[tuple[str, np.ndarray]]:
    """Every matrix that something was put beside, and its bias, by path."""
    biases = {(v.site, v.layers): v for v in model.table if v.kind == "bias"}
    beside: dict[Variable, dict[str, np.ndarray]] = {}
    for variable, value in added_values(model):
        if variable.beside is not None:
            beside.setdefault(variable.beside, {})[variable.name] = value
    for matrix, values in beside.items():
        bias = biases[matrix.site, matrix.layers]
        old = model.by_path[bias.path].numpy()
        kernel, new = model.plan.method.merged(
            model.by_path[matrix.path].numpy(), old.reshape(-1), values
        )
        yield matrix.path, kernel
        yield bias.path, new.reshape(old.shape)
