"""Top layers that begin with new values instead of the encoder's.

The highest layers of an encoder know most of the task it was pretrained on, and with few examples
it can take longer to unlearn that than to learn from nothing (T. Zhang et al. 2021, "Revisiting
Few-sample BERT Fine-tuning"). As there, the pooler begins anew with them.
"""

from tf_finetune.encoders.variables import Variable, possible_depths
from tf_finetune.models.spec import Spec


def reinitialised(spec: Spec) -> frozenset[str]:
    """Paths of what `training.reinitialise_top` lets begin anew."""
    return frozenset(variable.path for variable in _variables(spec))


def _variables(spec: Spec) -> list[Variable]:
    top, layers = spec.config.training.reinitialise_top, spec.files.num_layers
    if not top:
        return []
    return [
        variable
        for variable in spec.variables
        if variable.part == "pooler" or (variable.layers and min(variable.layers) >= layers - top)
    ]


def reinitialising_problems(spec: Spec) -> list[str]:
    """Why something that is to begin anew would not train, and stay random, if that is so."""
    top, layers = spec.config.training.reinitialise_top, spec.files.num_layers
    received, depth = f"training.reinitialise_top: received {top}", spec.config.freeze.depth
    possible = sorted(layers - d for d in possible_depths(spec.variables) if d >= depth)
    if top > layers - depth:
        frozen = f" with freeze.depth={depth}" if depth else ""
        accepted = f"0 to {layers - depth}, the layers that are not frozen"
        return [f"{received}{frozen}; accepted: {accepted}"]
    if top not in possible:
        accepted = f"{', '.join(map(str, possible))}, because layers of this encoder share weights"
        return [f"{received}; accepted: {accepted}"]
    rows = {row.path: row for row in spec.plan.rows}
    frozen_rows = [r for v in _variables(spec) if not (r := rows[v.path]).trainable]
    if not frozen_rows:
        return []
    first, more = frozen_rows[0], len(frozen_rows) - 1
    return [
        f"{received}, but {first.path}{f' and {more} more' if more else ''} would be frozen by "
        f"{first.rule} and stay random; accepted: 0, or let all of these layers"
        f"{' and the pooler' if spec.files.has_pooler else ''} train"
    ]


def reinitialised_lines(spec: Spec) -> list[str]:
    """What to tell of it before training."""
    top, layers = spec.config.training.reinitialise_top, spec.files.num_layers
    if not top:
        return []
    which = f"layer {layers - 1}" if top == 1 else f"layers {layers - top} to {layers - 1}"
    pooler = " and the pooler" if spec.files.has_pooler else ""
    return [f"begins anew: {which}{pooler}, as training.reinitialise_top={top} asks for"]
