"""What a method of fine-tuning has to say about itself; each has a file of its own.

The depth says where the frozen prefix ends, the method what trains above it. Below the depth
nothing trains under any method, so the prefix cache, the arithmetic and the answer of a search
mean the same for all of them.

A method is its own section of options: its fields are what `method.` takes beside `name`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from tf_finetune.encoders.family import Product
from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.peft_adapter import PeftAdapter
from tf_finetune.options.section import Section
from tf_finetune.storage.yaml_document import yaml_value

if TYPE_CHECKING:
    import numpy as np

    from tf_finetune.encoders.affine import Affine, Drop, Values
    from tf_finetune.encoders.dropout import PositionalDropout
    from tf_finetune.encoders.encoder import Encoder


class Trained(NamedTuple):
    """A variable that a method added, after an update.

    Attributes:
        value: After the update, float32.
        gradient: By which it was updated.
        averages: As many of its shape as the method keeps; zeros when a run begins.
    """

    value: Any
    gradient: Any
    averages: tuple[Any, ...]


class Method(Section):
    """A way to train what is above the frozen depth.

    Attributes:
        name: By which `method.name` asks for it.
        rate_factor: Its usual learning rates as a multiple of those of training all weights.
        merges: Whether plain weights can hold what it trained.
        begins_as_nothing: Whether what it adds changes nothing before training.
        by_unit: Names of what it adds whose last axis is that of a product's units.
        averages: How many values it keeps of each value that it adds, beside the optimiser's own.
            A method that keeps some is asked for `penalty` and `after_update`.
        learns_from: What its steps make smaller, of `training.objectives`.
        not_in_peft: Why PyTorch's library PEFT cannot load what it trained, as the end of a
            sentence; empty: it can.
    """

    name: str = ""
    rate_factor: ClassVar[float] = 1.0
    merges: ClassVar[bool] = True
    begins_as_nothing: ClassVar[bool] = True
    by_unit: ClassVar[frozenset[str]] = frozenset()
    averages: ClassVar[int] = 0
    learns_from: ClassVar[str] = "labels"
    not_in_peft: ClassVar[str] = "trains variables of the encoder itself"

    @property
    def words(self) -> str:
        """What it trains, as the end of "train ..." in a sentence."""
        raise NotImplementedError

    @property
    def setting(self) -> str:
        """Exact short name: `lora`, or with the options that are not as usual `lora rank=4`."""
        own = self.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
        return " ".join([self.name, *(f"{name}={yaml_value(own[name])}" for name in own)])

    @property
    def readings(self) -> int:
        """How often a text is read in an epoch, on average."""
        return 1

    def steps_per_epoch(self, examples: int, batch_size: int) -> int:
        """Optimiser steps of an epoch on so many examples; the last batch may be smaller."""
        return -(-examples * self.readings // batch_size)

    def trains(self, variable: Variable) -> bool:
        """Whether a pretrained variable of the layers above the depth trains.

        Of a method that adds what it trains, none does. What stands above all layers, pooler and
        head, trains under every method.
        """
        return False

    def problems(self, variables: Sequence[Variable]) -> list[str]:
        """Which of its options do not go with an encoder.

        Args:
            variables: Of the model, without what a method adds.
        """
        return []

    def added(self, matrix: Variable) -> tuple[Variable, ...]:
        """What it puts beside a pretrained matrix of a layer above the depth."""
        return ()

    def put_into(
        self,
        encoder: "Encoder",
        layer: int,
        matrix: Variable,
        values: "Values",
        dropout: "PositionalDropout",
    ) -> None:
        """Lets a layer of an encoder compute with what stands beside one of its matrices.

        Args:
            encoder: Changed in place.
            layer: Number of the layer.
            matrix: The matrix.
            values: What was added, by name.
            dropout: By `drop_rate`.
        """
        from tf_finetune.encoders.affine import Change

        change = Change(self.product, values, self.by_unit, dropout)
        encoder.change(layer, matrix.site, change)

    @property
    def drop_rate(self) -> float:
        """Probability that a unit is dropped of what goes into what it adds."""
        return 0.0

    def product(self, affine: "Affine", x: Any, values: "Values", drop: "Drop") -> Any:
        """What a product gives that something was put beside, [..., width] to [..., units].

        Args:
            affine: The product.
            x: What goes in, a tensor.
            values: What was added, by name.
            drop: Drops units of what goes in, in training.
        """
        raise NotImplementedError

    def penalty(self, added: Sequence["Values"]) -> Any:
        """What a step makes smaller beside the loss, [] float32.

        Args:
            added: What it added to each matrix, by name.
        """
        raise NotImplementedError

    def penalty_flops(self, matrix: Variable) -> int:
        """FLOPs of its part for what stands beside a matrix, forward; twice that backward."""
        return 0

    def after_update(
        self, added: Sequence[Mapping[str, Trained]], step: Any, total_steps: Any
    ) -> list[dict[str, Trained]]:
        """What becomes of values and averages after the optimiser has updated the values.

        It knows of nothing else that lasts, so that a resumed run goes on exactly.

        Args:
            added: What it added to each matrix, by name.
            step: Updates so far, this one included, [] float32.
            total_steps: Those of the run, [] float32.
        """
        raise NotImplementedError

    def merged(
        self, kernel: "np.ndarray", bias: "np.ndarray", values: "dict[str, np.ndarray]"
    ) -> "tuple[np.ndarray, np.ndarray]":
        """The matrix [width, units] and the bias that give the same without what was added.

        Args:
            kernel: As it is.
            bias: As it is.
            values: What was added, by name.
        """
        raise NotImplementedError

    def peft_adapter(self, added: "Mapping[Variable, Mapping[str, np.ndarray]]") -> PeftAdapter:
        """What it trained as PEFT has it; asked of methods without `not_in_peft`.

        Args:
            added: By pretrained matrix what was added, by name.
        """
        raise NotImplementedError

    def products(self, product: Product, beside: Mapping[str, Variable]) -> tuple[Product, ...]:
        """What is computed in the place of a step of a layer, in forward order.

        The last has the name of the step, and what it gives is what later steps read.

        Args:
            product: The step.
            beside: The layer's matrices that something was put beside, by site.
        """
        return (product,)

    def kept(self, product: Product, beside: Mapping[str, Variable], *, dropout: bool) -> float:
        """Values of a text kept for the backward pass beside those of a step as it was.

        Args:
            product: The step.
            beside: As for `products`.
            dropout: Whether the encoder's own dropout is on.
        """
        return 0.0


def rows_of(product: Product, matrix: Variable) -> float:
    """Vectors of a text that are multiplied with a matrix."""
    return product.flops / (2 * matrix.count)
