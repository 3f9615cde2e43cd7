"""The phases of a run: stretches of epochs between which its frozen depth changes.

Gradual unfreezing: J. Howard and S. Ruder 2018, "Universal Language Model Fine-tuning for Text
Classification".
"""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from tf_finetune.encoders.variables import possible_depths
from tf_finetune.models.spec import Spec, spec_of


class PlannedPhase(NamedTuple):
    """What trains in a stretch of epochs.

    Attributes:
        first_epoch: Counted from 0.
        epochs: How many.
        spec: The model as it is trained in them, its learning rate the phase's.
    """

    first_epoch: int
    epochs: int
    spec: Spec

    @property
    def words(self) -> str:
        """Its epochs as people count them, such as `2-3`."""
        first, last = self.first_epoch + 1, self.first_epoch + self.epochs
        return str(first) if first == last else f"{first}-{last}"


def planned_phases(spec: Spec) -> tuple[PlannedPhase, ...]:
    """The phases of a run in order; a single one where `freeze.thaw` has none."""
    config = spec.config
    thaw, rate = config.freeze.thaw, config.training.learning_rate
    begun = [0, *(phase.from_epoch - 1 for phase in thaw), config.training.epochs]
    depths = [config.freeze.depth, *(phase.depth for phase in thaw)]
    rates = [rate, *(phase.learning_rate or rate for phase in thaw)]
    return tuple(
        PlannedPhase(first, last - first, _at(spec, depth, learning_rate))
        for (first, last), depth, learning_rate in zip(
            itertools.pairwise(begun), depths, rates, strict=True
        )
    )


def _at(spec: Spec, depth: int, learning_rate: float | None) -> Spec:
    config = spec.config
    freeze = config.freeze.model_copy(update={"depth": depth, "thaw": ()})
    training = config.training.model_copy(update={"learning_rate": learning_rate})
    config = config.model_copy(update={"training": training})
    return spec_of(config, spec.files, spec.labels, freeze=freeze)


def plan_of_run(phases: Sequence[PlannedPhase]) -> dict[str, Any]:
    """What `plan.json` holds: the plan of the last phase, and of several what each of them is."""
    plan = phases[-1].spec.plan.to_dict()
    if len(phases) == 1:
        return plan
    return plan | {
        "phases": [
            {
                "from_epoch": phase.first_epoch + 1,
                "epochs": phase.epochs,
                "frozen_depth": phase.spec.plan.frozen_depth,
                "trainable_parameters": phase.spec.plan.trainable_count,
                "learning_rate": phase.spec.config.training.learning_rate,
            }
            for phase in phases
        ]
    }


def phase_problems(spec: Spec) -> list[str]:
    """Depths of phases that would part layers which share their weights."""
    possible = possible_depths(spec.variables)
    return [
        f"freeze.thaw[{index}].depth: received {phase.depth}; accepted: "
        f"{', '.join(map(str, possible))}, because layers of this encoder share their weights"
        for index, phase in enumerate(spec.config.freeze.thaw)
        if phase.depth not in possible
    ]
