"""Training all weights above the depth."""

from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.method import Method


class Full(Method):
    """Every variable above the depth trains."""

    words = "all weights"

    def trains(self, variable: Variable) -> bool:
        """All do."""
        return True
