"""Training biases alone, as BitFit does."""

from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.method import Method


class Biases(Method):
    """The biases of the dense layers above the depth train, and the head.

    Source: E. Ben Zaken et al. 2022, "BitFit: Simple Parameter-efficient Fine-tuning for
    Transformer-based Masked Language-models". They train the shifts of the norms too.
    """

    words = "biases"
    rate_factor = 10.0

    def trains(self, variable: Variable) -> bool:
        """The biases do."""
        return variable.kind == "bias"
