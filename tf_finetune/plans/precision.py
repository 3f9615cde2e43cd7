"""What `training.precision` comes to: as it is given, or chosen by what was measured."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tf_finetune.config.experiment import ExperimentConfig

FORETOLD = (
    "precision: auto; before its first step the training times a few steps in float32 and in "
    "bfloat16 and says which it takes"
)


@dataclass(frozen=True)
class ChosenPrecision:
    """What `auto` came to, and why.

    Attributes:
        precision: Another value of `training.precision` than auto.
        reason: Why, to stand behind "because".
        seconds: Median of a step by precision; nothing where none was timed.
        losses: Of the same batches by precision, in their order.
        tolerance: By how much a loss may differ.
    """

    precision: str
    reason: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    losses: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    tolerance: float | None = None

    @property
    def line(self) -> str:
        """What to tell of it."""
        return f"precision: {self.precision}, because {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


# There is nothing to time, and one pass over the texts is not worth the choice.
UNTIMED = ChosenPrecision("float32", "a head that is solved takes no steps")


def with_precision(config: ExperimentConfig, precision: str) -> ExperimentConfig:
    """The configuration with this `training.precision`."""
    training = config.training.model_copy(update={"precision": precision})
    return config.model_copy(update={"training": training})


def foretell_precision(config: ExperimentConfig) -> tuple[str, ...]:
    """What to say where a configuration is only looked at, its solver resolved."""
    if config.training.precision != "auto":
        return ()
    return (UNTIMED.line,) if config.training.solver == "exact" else (FORETOLD,)
