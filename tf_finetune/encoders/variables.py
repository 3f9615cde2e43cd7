"""What there is to know of a model's variables before the model is built.

A family lists them from the encoder's configuration alone. The table is the single source for
the freeze plan, for parameter arithmetic, for checking a checkpoint before anything is built,
and for writing weights in PyTorch layout. It needs neither TensorFlow nor weights; a test holds
it against the real model.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

Part = Literal["embeddings", "attention", "feed_forward", "layer_norm", "pooler", "head"]
Kind = Literal["kernel", "bias", "norm", "embedding", "added"]
Init = Literal["checkpoint", "normal", "uniform", "zeros", "ones", "lengths"]


@dataclass(frozen=True)
class Variable:
    """One variable of the model, and all that the rest of the project asks about it.

    Attributes:
        path: Name in the TensorFlow model, without the model's own name.
        tensor: Name of the same values in a PyTorch-layout checkpoint.
        shape: Shape in TensorFlow.
        part: What it belongs to. A layer norm inside an encoder layer counts as
            "layer_norm", one inside the embeddings as "embeddings".
        kind: Matrix or bias of a dense layer, scale or shift of a norm, a table of vectors, or
            what a method added.
        layers: Every encoder layer that uses it; empty outside the layers.
        site: Which of its layer's products or norms it is of, such as "query".
        other_sites: Products of its layer that it is of too.
        is_gain: Whether it is what a norm multiplies with.
        init: What it starts with where a checkpoint lacks it; "checkpoint": none may lack it.
            "uniform" is bounded by the root of 1 / rows, "lengths" are those of the columns of
            the matrix that it stands beside.
        transposed: Whether PyTorch's tensor is its transpose.
        is_row: Whether PyTorch's tensor lacks the first axis, which has length 1.
        aliases: Other names of the tensor in checkpoints.
        beside: The pretrained matrix that a method added it to; None: it is no such variable.
    """

    path: str
    tensor: str
    shape: tuple[int, ...]
    part: Part
    kind: Kind
    layers: frozenset[int] = frozenset()
    site: str = ""
    init: Init = "checkpoint"
    transposed: bool = False
    is_row: bool = False
    aliases: tuple[str, ...] = ()
    other_sites: tuple[str, ...] = ()
    beside: "Variable | None" = None
    is_gain: bool = False

    @property
    def begins_as(self) -> Init:
        """What it starts with where no value is loaded."""
        if self.init != "checkpoint":
            return self.init
        if self.kind in ("kernel", "embedding"):
            return "normal"
        return "ones" if self.is_gain else "zeros"

    @property
    def name(self) -> str:
        """The last part of its path, such as "kernel"."""
        return self.path.rpartition("/")[2]

    @property
    def count(self) -> int:
        """Number of parameters."""
        return math.prod(self.shape)

    @property
    def tensor_shape(self) -> tuple[int, ...]:
        """Shape in a PyTorch-layout checkpoint."""
        if self.is_row:
            return self.shape[1:]
        return self.shape[::-1] if self.transposed else self.shape

    def as_tensor(self, value: "np.ndarray") -> "np.ndarray":
        """A value in the shape of a PyTorch-layout checkpoint, a view."""
        if self.is_row:
            return value[0]
        return value.T if self.transposed else value


def number_of_layers(variables: Iterable[Variable]) -> int:
    """Encoder layers that a table of variables is of."""
    return 1 + max((layer for variable in variables for layer in variable.layers), default=-1)


def possible_depths(variables: Iterable[Variable]) -> list[int]:
    """Frozen depths that part no layers which share weights, ascending."""
    used = {variable.layers for variable in variables}
    last = max((layer for layers in used for layer in layers), default=-1) + 1
    parted = {
        depth for layers in used if layers for depth in range(min(layers) + 1, max(layers) + 1)
    }
    return [depth for depth in range(last + 1) if depth not in parted]


def dense_variables(
    path: str,
    tensor: str,
    shape: tuple[int, int],
    part: Part,
    site: str,
    layers: frozenset[int] = frozenset(),
) -> Iterator[Variable]:
    """Matrix and bias of a product; those above the layers may be new."""
    may_be_new = part in ("pooler", "head")
    yield Variable(
        f"{path}/kernel",
        f"{tensor}.weight",
        shape,
        part,
        "kernel",
        layers,
        site,
        init="normal" if may_be_new else "checkpoint",
        transposed=True,
    )
    yield Variable(
        f"{path}/bias",
        f"{tensor}.bias",
        shape[1:],
        part,
        "bias",
        layers,
        site,
        init="zeros" if may_be_new else "checkpoint",
    )


def norm_variables(
    path: str,
    tensor: str,
    width: int,
    part: Part,
    site: str,
    layers: frozenset[int] = frozenset(),
) -> Iterator[Variable]:
    """Scale and shift; a checkpoint converted from TensorFlow 1 calls them gamma and beta."""
    for name, tensor_name in (("gamma", "weight"), ("beta", "bias")):
        yield Variable(
            f"{path}/{name}",
            f"{tensor}.{tensor_name}",
            (width,),
            part,
            "norm",
            layers,
            site,
            aliases=(f"{tensor}.{name}",),
            is_gain=name == "gamma",
        )


def added_variable(
    matrix: Variable, name: str, tensor: str, shape: tuple[int, ...], init: Init
) -> Variable:
    """What a method adds to a pretrained matrix, of the same layers.

    Args:
        matrix: The matrix.
        name: Last part of its path.
        tensor: What its tensor is called, behind the name of the dense layer. A matrix is
            transposed there.
        shape: In TensorFlow.
        init: What it starts with.
    """
    return Variable(
        f"{matrix.path.rpartition('/')[0]}/{name}",
        f"{matrix.tensor.rpartition('.')[0]}.{tensor}",
        shape,
        matrix.part,
        "added",
        matrix.layers,
        matrix.site,
        init,
        transposed=len(shape) == 2,
        other_sites=matrix.other_sites,
        beside=matrix,
    )
