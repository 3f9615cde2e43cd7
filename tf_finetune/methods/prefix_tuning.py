"""Prefix tuning: trained keys and values before those of every text."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from tf_finetune.encoders.family import Product
from tf_finetune.encoders.variables import Variable, added_variable
from tf_finetune.methods.method import Method
from tf_finetune.methods.targets import is_target

if TYPE_CHECKING:
    from tf_finetune.encoders.affine import Values
    from tf_finetune.encoders.dropout import PositionalDropout
    from tf_finetune.encoders.encoder import Encoder

_KEY, _VALUE = "prefix_key", "prefix_value"


class PrefixTuning(Method):
    """Attention of every layer above the depth finds some trained keys and values before a text's.

    They have no positions. Where scores depend on distances, as in DeBERTa, the distance terms of
    these keys are zero.

    Source: X. Li and P. Liang 2021, "Prefix-Tuning: Optimizing Continuous Prompts for
    Generation", there with a small network that makes them in training; without one: X. Liu et
    al. 2022, "P-Tuning v2: Prompt Tuning Can Be Comparable to Fine-tuning Universally Across
    Scales and Tasks".
    """

    name: Literal["prefix_tuning"] = "prefix_tuning"
    length: int = Field(
        default=16, ge=1, le=1024, description="keys and values before those of a text"
    )
    rate_factor: ClassVar[float] = 30.0
    merges: ClassVar[bool] = False
    begins_as_nothing: ClassVar[bool] = False
    not_in_peft: ClassVar[str] = "puts keys and values into the layers above the depth alone"

    @property
    def words(self) -> str:
        """With their number."""
        return f"prefixes of {self.length} keys and values"

    def added(self, matrix: Variable) -> tuple[Variable, ...]:
        """Both stand beside the matrix that makes keys."""
        if not is_target(matrix, ("key",)):
            return ()
        shape = self.length, matrix.shape[0]
        return tuple(added_variable(matrix, n, n, shape, "normal") for n in (_KEY, _VALUE))

    def put_into(
        self,
        encoder: "Encoder",
        layer: int,
        matrix: Variable,
        values: "Values",
        dropout: "PositionalDropout",
    ) -> None:
        """Before the keys and values of the layer."""
        encoder.put_before(layer, values[_KEY], values[_VALUE])

    def products(self, product: Product, beside: Mapping[str, Variable]) -> tuple[Product, ...]:
        """In both products of attention those with what stands before."""
        if not product.keys:
            return (product,)
        flops = product.flops // product.keys * self.length
        own = Product(f"{product.name}.before", flops, product.operands[:1], trained=True)
        return (product, own, product.plus(own.name))

    def kept(self, product: Product, beside: Mapping[str, Variable], *, dropout: bool) -> float:
        """Longer rows of attention probabilities, with dropout masks and masked ones too."""
        if product.name != "scores":
            return 0.0
        return product.rows * self.length * (3 if dropout else 1)
