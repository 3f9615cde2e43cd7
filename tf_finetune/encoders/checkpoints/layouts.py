"""Under which name and in which shape a checkpoint holds a variable."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

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

    def is_row(self, variable: Variable) -> bool:
        """Whether the tensor lacks the variable's first axis, of length 1."""
        return False

    def shape(self, variable: Variable) -> tuple[int, ...]:
        """Shape of a variable's tensor."""
        shape = variable.shape[1:] if self.is_row(variable) else variable.shape
        return shape[::-1] if self.is_transposed(variable) else shape

    def shape_of(self, variable: Variable, tensor: tuple[int, ...]) -> tuple[int, ...]:
        """Shape that a variable has where its tensor has this one."""
        shape = tensor[::-1] if self.is_transposed(variable) else tensor
        return (1, *shape) if self.is_row(variable) else shape

    def value_of(self, variable: Variable, tensor: np.ndarray) -> np.ndarray:
        """A variable's value, a view of its tensor's."""
        value = tensor.T if self.is_transposed(variable) else tensor
        return value[None] if self.is_row(variable) else value


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

    def is_row(self, variable: Variable) -> bool:
        """As the table of variables says."""
        return variable.is_row

    def layer_of(self, name: str, family: Family) -> int | None:
        """The number behind the family's `layer_tensors`."""
        return _number(rf"(?:^|\.){re.escape(family.layer_tensors)}\.(\d+)\.", name)


class TensorFlowLayout(Layout):
    """As transformers' TensorFlow models are saved: paths, and no tensor is turned round."""

    def names(self, variable: Variable, family: Family) -> Iterator[str]:
        """The path with and without the output's number and the backbone's prefix."""
        for path in (variable.path, variable.path.removeprefix(f"{family.backbone}/")):
            yield f"{path}:0"
            yield path

    def is_transposed(self, variable: Variable) -> bool:
        """Never."""
        return False

    def layer_of(self, name: str, family: Family) -> int | None:
        """The number as Keras writes those of a list of layers."""
        inside = re.escape(family.layer_tensors.replace(".", "/"))
        return _number(rf"(?:^|/){inside}_\._(\d+)/", name)


class GoogleLayout(Layout):
    """As the program of Devlin et al. 2019 saves BERT.

    An embedding is a variable by itself there, and the head of a classifier is no layer: its
    matrix is [labels, hidden].
    """

    _HEAD: ClassVar[Mapping[str, str]] = {"kernel": "output_weights", "bias": "output_bias"}

    def names(self, variable: Variable, family: Family) -> Iterator[str]:
        """The one name."""
        if variable.part == "head":
            yield self._HEAD[variable.kind]
        elif variable.kind == "embedding":
            yield variable.path.rpartition("/")[0]
        else:
            yield variable.path.replace("/layer_._", "/layer_")

    def is_transposed(self, variable: Variable) -> bool:
        """The head's matrix alone."""
        return variable.part == "head"

    def layer_of(self, name: str, family: Family) -> int | None:
        """The number in its folder's name."""
        return _number(r"(?:^|/)encoder/layer_(\d+)/", name)


def _number(pattern: str, name: str) -> int | None:
    found = re.search(pattern, name)
    return int(found[1]) if found else None
