"""LoRA and DoRA: the change of a matrix as a product of two small ones."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tf_finetune.encoders.family import Product
from tf_finetune.encoders.variables import Variable, added_variable
from tf_finetune.methods.low_rank import LowRank
from tf_finetune.methods.peft_adapter import PeftAdapter
from tf_finetune.methods.targets import is_target

if TYPE_CHECKING:
    import numpy as np

    from tf_finetune.encoders.affine import Affine, Drop, Values


class Lora(LowRank):
    """A matrix W above the depth becomes W + s A B, with A and B of a small rank.

    Source: E. Hu et al. 2022, "LoRA: Low-Rank Adaptation of Large Language Models"; the scale by
    the root of the rank: D. Kalajdzievski 2023, "A Rank Stabilization Scaling Factor for
    Fine-Tuning with LoRA"; lengths of columns trained apart from their directions: S. Liu et al.
    2024, "DoRA: Weight-Decomposed Low-Rank Adaptation".
    """

    name: Literal["lora"] = "lora"
    rank_stabilised: bool = Field(
        default=False, description="multiply with alpha / root of rank, which suits large ranks"
    )
    weight_decomposed: bool = Field(
        default=False, description="DoRA: the length of each column of W + s A B trains by itself"
    )
    by_unit: ClassVar[frozenset[str]] = frozenset(("lora_b", "lora_magnitude"))

    @property
    def words(self) -> str:
        """With its rank."""
        return f"{'DoRA' if self.weight_decomposed else 'LoRA'} of rank {self.rank}"

    @property
    def scale(self) -> float:
        """What A B is multiplied with."""
        return self.alpha / (math.sqrt(self.rank) if self.rank_stabilised else self.rank)

    def added(self, matrix: Variable) -> tuple[Variable, ...]:
        """A with random values and B with zeros, so that training begins at W."""
        if not is_target(matrix, self.targets):
            return ()
        width, units = matrix.shape
        of_a, of_b = (width, self.rank), (self.rank, units)
        found = (
            added_variable(matrix, "lora_a", "lora_A.weight", of_a, "uniform"),
            added_variable(matrix, "lora_b", "lora_B.weight", of_b, "zeros"),
        )
        if not self.weight_decomposed:
            return found
        name = "lora_magnitude_vector"
        return (*found, added_variable(matrix, "lora_magnitude", name, (units,), "lengths"))

    def product(self, affine: "Affine", x: Any, values: "Values", drop: "Drop") -> Any:
        """W x and A B x are computed apart; W + s A B alone for the lengths of its columns."""
        import tensorflow as tf

        from tf_finetune.encoders.affine import product

        def of(matrix: Any, rows: Any) -> Any:
            return product(matrix, None, rows, affine.dtype)

        a, b = values["lora_a"], values["lora_b"]
        change = self.scale * of(b, of(a, drop(x)))
        if not self.weight_decomposed:
            return affine(x) + change
        whole = tf.cast(affine.kernel, affine.dtype) + self.scale * tf.matmul(a, b)
        # Liu et al. 2024, section 4.3: the lengths count as constants in the backward pass.
        lengths = tf.stop_gradient(tf.norm(whole, axis=0))
        result = values["lora_magnitude"] / lengths * (of(affine.kernel, x) + change)
        return result if affine.bias is None else result + tf.cast(affine.bias, result.dtype)

    def merged(
        self, kernel: "np.ndarray", bias: "np.ndarray", values: "dict[str, np.ndarray]"
    ) -> "tuple[np.ndarray, np.ndarray]":
        """W + s A B, of DoRA with the lengths that were trained."""
        from tf_finetune.encoders.low_rank import merged_low_rank  # loads NumPy

        lengths = values["lora_magnitude"] if self.weight_decomposed else None
        whole = merged_low_rank(kernel, values["lora_a"], values["lora_b"], self.scale, lengths)
        return whole, bias

    def peft_adapter(self, added: "Mapping[Variable, Mapping[str, np.ndarray]]") -> PeftAdapter:
        """PEFT's LoRA, whose names those of the tensors are."""
        config = self.peft_config | {
            "use_rslora": self.rank_stabilised,
            "use_dora": self.weight_decomposed,
        }
        tensors = {}
        for matrix, values in added.items():
            found = tensors[matrix] = {
                "lora_A.weight": values["lora_a"].T,
                "lora_B.weight": values["lora_b"].T,
            }
            if self.weight_decomposed:
                found["lora_magnitude_vector"] = values["lora_magnitude"]
        return PeftAdapter(config, tensors)

    def products(self, product: Product, beside: Mapping[str, Variable]) -> tuple[Product, ...]:
        """That with A and that with B, and of DoRA A B by itself, once a step."""
        found = super().products(product, beside)
        matrix = beside.get(product.name)
        if matrix is None or not self.weight_decomposed:
            return found
        width, units = matrix.shape
        flops = 2 * width * self.rank * units
        lengths = Product(f"{product.name}.lora_magnitude", flops, (), once=True)
        return (*found[:-1], lengths, found[-1])
