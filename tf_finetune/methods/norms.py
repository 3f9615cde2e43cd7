"""Training the norms alone."""

from typing import ClassVar, Literal

from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.method import Method


class Norms(Method):
    """The scales and shifts of the layer norms above the depth train, and the head.

    Source: J. Frankle et al. 2021, "Training BatchNorm and Only BatchNorm", for the norms of
    convolutional networks.
    """

    name: Literal["norms"] = "norms"
    rate_factor: ClassVar[float] = 10.0

    @property
    def words(self) -> str:
        """Scales and shifts."""
        return "layer norms"

    def trains(self, variable: Variable) -> bool:
        """The norms do."""
        return variable.kind == "norm"
