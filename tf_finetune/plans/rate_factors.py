"""At which share of the run's learning rate each variable trains.

Lower layers hold what is common to all texts and want smaller steps than what is above them
(J. Howard and S. Ruder 2018, "Universal Language Model Fine-tuning for Text Classification";
K. Clark et al. 2020, "ELECTRA").
"""

from dataclasses import replace

from tf_finetune.options.training import TrainingConfig
from tf_finetune.plans.freezing import FreezePlan, PlanRow


def with_rate_factors(plan: FreezePlan, training: TrainingConfig) -> FreezePlan:
    """The plan with the factor of every variable that trains.

    Args:
        plan: What trains.
        training: Its `layer_decay` and `head_rate_factor` are used.
    """
    rows = tuple(
        replace(row, rate_factor=_factor(row, plan.num_layers, training)) if row.trainable else row
        for row in plan.rows
    )
    return replace(plan, rows=rows)


def _factor(row: PlanRow, num_layers: int, training: TrainingConfig) -> float:
    if row.part == "head":
        return training.head_rate_factor
    return training.layer_decay ** _steps_below_head(row, num_layers)


def _steps_below_head(row: PlanRow, num_layers: int) -> int:
    """The pooler is as high as the head.

    What layers share stands at the lowest of them, as it does for freezing: a step of it moves
    that layer too, which is to move no faster than its decay says.
    """
    if row.part == "embeddings":
        return num_layers + 1
    return num_layers - min(row.layers, default=num_layers)
