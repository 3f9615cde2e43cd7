"""The values of a trained model as plain weights, what its method added merged into them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tf_finetune.encoders.variables import Variable
from tf_finetune.models.merging import by_matrix, merged

if TYPE_CHECKING:
    from tf_finetune.models.planned_model import PlannedModel


def handed_on(model: "PlannedModel") -> Iterator[tuple[Variable, np.ndarray]]:
    """Variables and values, float32, that a model of the same answers is made of.

    Where the method merges, these are the pretrained variables alone.

    Args:
        model: The trained model.
    """

    def read(variable: Variable) -> np.ndarray:
        value: np.ndarray = model.by_path[variable.path].numpy()
        return value

    method = model.plan.method
    if not method.merges:
        yield from ((variable, read(variable)) for variable in model.table)
        return
    plain = dict(merged(method, model.table, by_matrix(added_values(model)), read))
    for variable in model.table:
        if variable.beside is None:
            value = plain.get(variable.path)
            yield variable, read(variable) if value is None else value


def added_values(model: "PlannedModel") -> Iterator[tuple[Variable, np.ndarray]]:
    """What the method added, with its values, float32."""
    for variable in model.plan.added:
        yield variable, model.by_path[variable.path].numpy()
