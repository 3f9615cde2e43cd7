"""What a method of fine-tuning has to say about itself; each has a file of its own.

The depth says where the frozen prefix ends, the method what trains above it. Below the depth
nothing trains under any method, so the prefix cache, the arithmetic and the answer of a search
mean the same for all of them.
"""

from tf_finetune.encoders.variables import Variable


class Method:
    """A way to train what is above the frozen depth.

    Attributes:
        words: What it trains, as the end of "train ..." in a sentence.
        rate_factor: Its usual learning rates as a multiple of those of training all weights.
    """

    words: str
    rate_factor: float = 1.0

    def trains(self, variable: Variable) -> bool:
        """Whether a pretrained variable above the depth trains. A new head always does."""
        raise NotImplementedError
