"""The learning rate that suits a training where none was given.

What trains fewer layers wants larger steps, and so does what takes few of them: the product of
rate and number of steps says how far weights can get.
"""

import itertools
from typing import NamedTuple

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.methods.method import Method
from tf_finetune.plans.freezing import FreezePlan
from tf_finetune.results.trial import exact_rate
from tf_finetune.tasks.table import TASKS

# Best rates of MiniLM in 650 steps, by the share of layers that are frozen.
_BEST_RATES = ((0.0, 5e-5), (2 / 3, 3e-4), (1.0, 1e-3))
_STEPS = 650
# How fast the best rate falls with the number of steps, and between which numbers that was
# measured (docs/findings.md).
_EXPONENT = 0.57
_FEWEST, _MOST = 50, 2_000


class ResolvedRate(NamedTuple):
    """What `training.learning_rate` means for a plan and a number of examples.

    Attributes:
        config: The configuration, with a rate unless the head is solved without.
        lines: What to tell of it.
    """

    config: ExperimentConfig
    lines: tuple[str, ...] = ()


def steps_of_one_reading(config: ExperimentConfig, examples: int) -> int:
    """Steps of a training on so many examples by a method that reads each once an epoch."""
    return -(-examples // config.training.batch_size) * config.training.epochs


def number_of_steps(config: ExperimentConfig, examples: int) -> int:
    """Steps of a training on so many examples."""
    training = config.training
    return config.method.steps_per_epoch(examples, training.batch_size) * training.epochs


def typical_rate(depth: int, num_layers: int, steps: int) -> float:
    """A learning rate of full training that suits a frozen depth and a number of steps.

    Between three measured depths the logarithm is interpolated by the share of frozen layers;
    fewer or more steps than were measured count as the fewest or the most that were.
    """
    share = depth / num_layers
    rate = _BEST_RATES[-1][1]
    for (left, low), (right, high) in itertools.pairwise(_BEST_RATES):
        if share <= right:
            rate = low * (high / low) ** ((share - left) / (right - left))
            break
    return two_digits(rate * (_STEPS / min(max(steps, _FEWEST), _MOST)) ** _EXPONENT)


def usual_rate(task: str, method: Method, depth: int, num_layers: int, steps: int) -> float:
    """`typical_rate` for a task and a method, which may want others than texts and full training.

    With all layers frozen every method trains the same, pooler and head.

    Args:
        task: Its name; auto counts as one that reads whole texts.
        method: The method.
        depth: Frozen depth.
        num_layers: Of the encoder.
        steps: From `steps_of_one_reading`.
    """
    factor = method.rate_factor if depth < num_layers else 1.0
    if task in TASKS:
        factor *= TASKS[task].rate_factor
    return factor * typical_rate(depth, num_layers, steps * method.readings)


def two_digits(rate: float) -> float:
    """A rate as people write it."""
    return float(f"{rate:.2g}")


def resolve_rate(config: ExperimentConfig, plan: FreezePlan, examples: int) -> ResolvedRate:
    """Chooses the learning rate where the configuration has none.

    Args:
        config: The configuration, its solver resolved.
        plan: What trains.
        examples: Number of training examples.
    """
    if config.training.learning_rate is not None or config.training.solver == "exact":
        return ResolvedRate(config)
    steps, layers = steps_of_one_reading(config, examples), plan.num_layers

    def usual(depth: int) -> float:
        return two_digits(usual_rate(config.data.task, config.method, depth, layers, steps))

    rate = usual(plan.frozen_depth)
    training = config.training.model_copy(update={"learning_rate": rate})
    thaw = tuple(
        phase.model_copy(update={"learning_rate": phase.learning_rate or usual(phase.depth)})
        for phase in config.freeze.thaw
    )
    freeze = config.freeze.model_copy(update={"thaw": thaw})
    then = "".join(
        f", {exact_rate(phase.learning_rate)} from epoch {phase.from_epoch} on ({phase.depth})"
        for phase in thaw
    )
    in_all = number_of_steps(config, examples)
    line = (
        f"learning rate: {exact_rate(rate)}, usual for training {config.method.words} with "
        f"{plan.frozen_depth} of {layers} layers frozen, in {in_all:,} steps{then}; "
        "`search` tries others, training.learning_rate sets it"
    )
    return ResolvedRate(config.model_copy(update={"training": training, "freeze": freeze}), (line,))
