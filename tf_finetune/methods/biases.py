"""Training biases alone, as BitFit does."""

from typing import ClassVar, Literal

from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.method import Method


class Biases(Method):
    """The biases of the dense layers above the depth train, and the head.

    Source: E. Ben Zaken et al. 2022, "BitFit: Simple Parameter-efficient Fine-tuning for
    Transformer-based Masked Language-models". They train the shifts of the norms too.
    """

    name: Literal["biases"] = "biases"
    rate_factor: ClassVar[float] = 10.0

    @property
    def words(self) -> str:
        """Of the dense layers."""
        return "biases"

    def trains(self, variable: Variable) -> bool:
        """The biases do."""
        return variable.kind == "bias"
