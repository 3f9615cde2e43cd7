"""How a run goes over from one frozen depth to the next.

Each phase is trained by a model of its own over the same pretrained variables: what trains, its
optimiser's slots and the cached boundary are those of its depth, and nothing in the loop knows of
others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tf_finetune.data.states import PrefixStates
from tf_finetune.plans.freezing import FreezePlan
from tf_finetune.training.fine_tuner import FineTuner


@dataclass(frozen=True)
class Phase:
    """A stretch of epochs at one frozen depth.

    Attributes:
        first_epoch: Counted from 0.
        learning_rate: Peak of the run's schedule in it; None of a head that is solved.
        plan: What trains.
        model: Makes its model, or gives it again. The first phase always gives the same.
        states: Cached states of "train" and "validation" at the boundary of that model; asked for
            where epochs of the phase begin.
    """

    first_epoch: int
    learning_rate: float | None
    plan: FreezePlan
    model: Callable[[], FineTuner]
    states: Callable[[FineTuner], Mapping[str, PrefixStates]]


def only_phase(
    model: FineTuner, learning_rate: float | None, states: Mapping[str, PrefixStates]
) -> tuple[Phase]:
    """That of a run whose frozen depth does not change."""
    plan = model.classifier.plan
    return (Phase(0, learning_rate, plan, lambda: model, lambda model: states),)


def hand_over(before: FineTuner, after: FineTuner, seed: int) -> None:
    """Lets a model go on where that of the phase before stopped.

    What trained before keeps its values and its slots, and the count of steps goes on; what trains
    now for the first time has its values of before fine-tuning, and slots of zero.

    Args:
        before: The model of the phase that ended.
        after: That of the next, its run started.
        seed: Of new values.
    """
    trained = before.classifier.trainable_values()
    after.classifier.reset(seed)
    after.classifier.set_values(trained)
    after.optimizer_state.take_over(before.optimizer_state)


def reset_phases(model: FineTuner, phases: Sequence[Phase], seed: int) -> None:
    """Puts everything back that a run before may have trained.

    Args:
        model: That of the first phase.
        phases: Of the run; none: it has that one alone.
        seed: Of new values.
    """
    for one in (model, *(phase.model() for phase in phases[-1:])):
        one.classifier.reset(seed)
