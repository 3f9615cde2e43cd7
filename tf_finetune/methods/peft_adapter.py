"""What a method added, in the words of PyTorch's library PEFT."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tf_finetune.encoders.variables import Variable

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class PeftAdapter:
    """An adapter of PEFT, but for what it says of the encoder.

    Attributes:
        config: Of `adapter_config.json` what is the method's: `peft_type` and its options.
        tensors: By pretrained matrix and by the name behind its dense layer's, such as
            "lora_A.weight", as PyTorch lays them out.
        modules: Further lists of modules in `adapter_config.json`, by the matrices in these.
        patterns: Values by module in `adapter_config.json`, by the matrices in these.
    """

    config: Mapping[str, Any]
    tensors: "Mapping[Variable, Mapping[str, np.ndarray]]"
    modules: Mapping[str, Sequence[Variable]] = field(default_factory=dict)
    patterns: Mapping[str, Mapping[Variable, float]] = field(default_factory=dict)


def module_of(variable: Variable) -> str:
    """What PyTorch calls the module that holds a variable."""
    return variable.tensor.rpartition(".")[0]
