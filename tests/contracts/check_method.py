"""What every method has to keep, decided on the table of variables alone."""

from tf_finetune.methods.table import METHODS
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.plans.freezing import plan_freezing


def check_method(name, variables, num_layers):
    """Holds a method against the plans that it makes at every depth."""
    assert METHODS[name]().words
    assert METHODS[name].rate_factor > 0
    for depth in range(num_layers + 1):
        plan = plan_freezing(FreezeConfig(depth=depth), METHODS[name](), variables)
        trained = {row.path for row in plan.rows if row.trainable}
        below = {v.path for v in variables if v.layers and max(v.layers) < depth}
        head = {v.path for v in variables if v.part == "head"}
        assert not trained & below
        assert head <= trained
        assert plan.frozen_depth >= depth
        # Every layer above trains, or depth would not mean what it says.
        above = {layer for row in plan.rows if row.trainable for layer in row.layers}
        assert above == set(range(depth, num_layers))
