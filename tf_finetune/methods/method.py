"""What a method of fine-tuning has to say about itself; each has a file of its own.

The depth says where the frozen prefix ends, the method what trains above it. Below the depth
nothing trains under any method, so the prefix cache, the arithmetic and the answer of a search
mean the same for all of them.

A method is its own section of options: its fields are what `method.` takes beside `name`.
"""

from typing import ClassVar

from tf_finetune.encoders.variables import Variable
from tf_finetune.options.section import Section
from tf_finetune.storage.yaml_document import yaml_value


class Method(Section):
    """A way to train what is above the frozen depth.

    Attributes:
        name: By which `method.name` asks for it.
        rate_factor: Its usual learning rates as a multiple of those of training all weights.
    """

    name: str = ""
    rate_factor: ClassVar[float] = 1.0

    @property
    def words(self) -> str:
        """What it trains, as the end of "train ..." in a sentence."""
        raise NotImplementedError

    @property
    def setting(self) -> str:
        """Exact short name: `lora`, or with the options that are not as usual `lora rank=4`."""
        own = self.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
        return " ".join([self.name, *(f"{name}={yaml_value(own[name])}" for name in own)])

    def trains(self, variable: Variable) -> bool:
        """Whether a pretrained variable above the depth trains. A new head always does."""
        raise NotImplementedError
