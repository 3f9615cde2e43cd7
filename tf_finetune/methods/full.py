"""Training all weights above the depth."""

from typing import Literal

from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.method import Method


class Full(Method):
    """Every variable above the depth trains."""

    name: Literal["full"] = "full"

    @property
    def words(self) -> str:
        """All of it."""
        return "all weights"

    def trains(self, variable: Variable) -> bool:
        """All do."""
        return True
