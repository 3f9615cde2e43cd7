"""What trains and what a step costs at every depth, as an object."""

import html
from typing import TYPE_CHECKING, Any

from tf_finetune.api.html_table import html_table
from tf_finetune.jobs.plan import PricedPlan
from tf_finetune.plans.arithmetic import PlanCost

if TYPE_CHECKING:
    import pandas as pd


class Prices:
    """The price list of a training.

    Args:
        priced: The configured training and its alternatives.
    """

    def __init__(self, priced: PricedPlan):
        self._priced = priced

    @property
    def table(self) -> "pd.DataFrame":
        """A row a depth: what trains, bytes, and floating-point operations of a step.

        `of_depth_0` and `cached_of_depth_0` are the step's operations, without and with the prefix
        cache, as a share of those of training everything.
        """
        import pandas as pd

        full = self._priced.depths[0][1].step_flops
        return pd.DataFrame([_row(name, cost, full) for name, cost in self._priced.depths])

    @property
    def trainable(self) -> "pd.DataFrame":
        """A row a variable of the configured plan: its size, whether it trains, by which rule."""
        import pandas as pd

        return pd.DataFrame(self._priced.spec.plan.to_dict()["rows"])

    def __str__(self) -> str:
        """What trains as configured, and its share of a whole step."""
        by_name = dict(self._priced.depths)
        cost, full = by_name[self._priced.configured], self._priced.depths[0][1]
        name = self._priced.configured
        about = f"depth {name}" if name.isdecimal() else name
        return (
            f"{self._priced.files.name}, {about}: {cost.trainable:,} of "
            f"{self._priced.spec.plan.total_count:,} parameters train, "
            f"{cost.step_flops / full.step_flops:.2f} of a whole step's operations"
        )

    def __repr__(self) -> str:
        """The same, with the name of the class."""
        return f"Prices({self})"

    def _repr_html_(self) -> str:
        """The line over the table."""
        return f"<p><b>{html.escape(str(self))}</b></p>{html_table(self.table)}"


def _row(name: str, cost: PlanCost, full: float) -> dict[str, Any]:
    return {
        "depth": int(name) if name.isdecimal() else name,
        "trained": cost.trainable,
        "gradient_bytes": cost.gradient_bytes,
        "optimizer_bytes": cost.optimizer_bytes,
        "activation_bytes": cost.activation_bytes,
        "step_flops": cost.step_flops,
        "of_depth_0": cost.step_flops / full,
        "cached_of_depth_0": cost.cached_step_flops / full if cost.state_bytes else None,
        "cached_bytes_a_text": cost.state_bytes,
    }
