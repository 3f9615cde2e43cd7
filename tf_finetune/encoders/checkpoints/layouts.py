"""Under which name and in which orientation a checkpoint holds a variable."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator

from tf_finetune.encoders.family import Family
from tf_finetune.encoders.variables import Variable


class Layout(ABC):
    """A way to name and to orient tensors; its objects hold no state."""

    @abstractmethod
    def names(self, variable: Variable, family: Family) -> Iterator[str]:
        """Names that a variable's tensor may have, the usual one first."""

    @abstractmethod
    def is_transposed(self, variable: Variable) -> bool:
        """Whether the tensor is the transpose of the variable."""

    @abstractmethod
    def layer_of(self, name: str, family: Family) -> int | None:
        """Number of the encoder layer that a tensor belongs to, by its name."""

    def shape(self, variable: Variable) -> tuple[int, ...]:
        """Shape of a variable's tensor."""
        return variable.shape[::-1] if self.is_transposed(variable) else variable.shape


class PyTorchLayout(Layout):
    """As transformers' PyTorch models are saved.

    A checkpoint of the bare encoder (`BertModel`) leaves out the backbone's prefix, and one
    converted from TensorFlow 1, such as google-bert/bert-base-uncased, has other names.
    """

    def names(self, variable: Variable, family: Family) -> Iterator[str]:
        """The tensor's name and its aliases, each with and without the backbone's prefix."""
        for usual in (variable.tensor, *variable.aliases):
            yield usual
            yield usual.removeprefix(f"{family.backbone}.")

    def is_transposed(self, variable: Variable) -> bool:
        """As the table of variables says."""
        return variable.transposed

    def layer_of(self, name: str, family: Family) -> int | None:
        """The number behind the family's `layer_tensors`."""
        found = re.search(rf"(?:^|\.){re.escape(family.layer_tensors)}\.(\d+)\.", name)
        return int(found[1]) if found else None
