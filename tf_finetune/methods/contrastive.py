"""Training on pairs of texts before a head is solved, which suits few labels.

What is above the depth learns to give texts of one label vectors of the same direction, and texts
of different labels vectors that stand at right angles; pairs of few texts are many. The head
answers vectors that no longer change, so it is solved exactly.

Source: L. Tunstall et al. 2022, "Efficient Few-Shot Learning Without Prompts" (SetFit).
"""

from typing import ClassVar, Literal

from pydantic import Field

from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.lora import Lora
from tf_finetune.methods.method import Method


class LearnsFromPairs(Method):
    """A method whose steps compare texts, and do not ask what their labels are."""

    pairs: int = Field(
        default=7,
        ge=1,
        le=1000,
        description="pairs of the same label, and as many of different ones, that each text "
        "begins in an epoch",
    )
    learns_from: ClassVar[str] = "pairs"

    @property
    def readings(self) -> int:
        """Of two texts in two kinds of pairs."""
        return 4 * self.pairs


class Contrastive(LearnsFromPairs):
    """Every variable above the depth trains on pairs, then the head is solved."""

    name: Literal["contrastive"] = "contrastive"

    @property
    def words(self) -> str:
        """What it compares."""
        return "all weights on pairs"

    def trains(self, variable: Variable) -> bool:
        """All do."""
        return True


class ContrastiveLora(LearnsFromPairs, Lora):
    """LoRA trains on pairs, then the head is solved."""

    name: Literal["contrastive_lora"] = "contrastive_lora"  # type: ignore[assignment]

    @property
    def words(self) -> str:
        """With its rank."""
        return f"{super().words} on pairs"
