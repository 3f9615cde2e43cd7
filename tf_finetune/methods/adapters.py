"""Adapters: a narrow layer of its own behind a product, added to what that gives."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tf_finetune.encoders.family import Product
from tf_finetune.encoders.variables import Variable, added_variable
from tf_finetune.methods.method import Method, rows_of

if TYPE_CHECKING:
    from tf_finetune.encoders.affine import Affine, Drop, Values

_SITES = {"both": ("attention_output", "down"), "feed_forward": ("down",)}


class Adapters(Method):
    """What attention and the feed-forward part give goes through a narrow layer and is kept too.

    y becomes y + U a(D y), with a bottleneck between D and U, before y is dropped, added to its
    input and normalised.

    Source: N. Houlsby et al. 2019, "Parameter-Efficient Transfer Learning for NLP", which puts
    them behind both parts of a layer; behind the feed-forward part alone: J. Pfeiffer et al.
    2021, "AdapterFusion: Non-Destructive Task Composition for Transfer Learning", there behind
    the norm too.
    """

    name: Literal["adapters"] = "adapters"
    width: int = Field(default=32, ge=1, description="units of the bottleneck")
    placement: Literal["both", "feed_forward"] = Field(
        default="both",
        description="behind attention and the feed-forward part, or behind the latter alone",
    )
    activation: Literal["gelu", "relu"] = Field(
        default="gelu", description="of the units of the bottleneck"
    )
    rate_factor: ClassVar[float] = 5.0
    merges: ClassVar[bool] = False
    not_in_peft: ClassVar[str] = "puts layers of its own into those of the encoder"

    @property
    def words(self) -> str:
        """With their width."""
        return f"adapters of width {self.width}"

    def problems(self, variables: Sequence[Variable]) -> list[str]:
        """A bottleneck wider than a state."""
        widths = {v.shape[1] for v in variables if v.kind == "kernel" and self._is_at(v)}
        if all(self.width <= width for width in widths):
            return []
        return [
            f"method.width: received {self.width}; accepted: up to {min(widths)}, the width of a "
            "state"
        ]

    def added(self, matrix: Variable) -> tuple[Variable, ...]:
        """U of zeros, so that training begins at the pretrained model."""
        if not self._is_at(matrix):
            return ()
        units, inside, back = matrix.shape[1], "adapter_down", "adapter_up"
        return (
            added_variable(matrix, inside, f"{inside}.weight", (units, self.width), "normal"),
            added_variable(matrix, f"{inside}_bias", f"{inside}.bias", (self.width,), "zeros"),
            added_variable(matrix, back, f"{back}.weight", (self.width, units), "zeros"),
            added_variable(matrix, f"{back}_bias", f"{back}.bias", (units,), "zeros"),
        )

    def product(self, affine: "Affine", x: Any, values: "Values", drop: "Drop") -> Any:
        """The product's own result and what the narrow layer makes of it."""
        import tensorflow as tf

        from tf_finetune.encoders.affine import product

        def of(name: str, rows: Any) -> Any:
            return product(values[name], values[f"{name}_bias"], rows, affine.dtype)

        result = affine(x)
        # TensorFlow's own GELU, which LiteRT knows: of so few units it may keep all that it wants.
        activation = tf.nn.gelu if self.activation == "gelu" else tf.nn.relu
        return result + of("adapter_up", activation(of("adapter_down", result)))

    def products(self, product: Product, beside: Mapping[str, Variable]) -> tuple[Product, ...]:
        """Those with D and with U, of what the product gives."""
        matrix = beside.get(product.name)
        if matrix is None:
            return (product,)
        flops = round(2 * rows_of(product, matrix) * matrix.shape[1] * self.width)
        names = [f"{product.name}.{name}" for name in ("adapter_down", "adapter_up")]
        inside, back = (
            Product(name, flops, ((below,),), trained=True)
            for name, below in zip(names, (product.name, names[0]), strict=True)
        )
        return (product, inside, back, product.plus(back.name))

    def kept(self, product: Product, beside: Mapping[str, Variable], *, dropout: bool) -> float:
        """What the product gives, and three pieces of GELU and its result."""
        matrix = beside.get(product.name)
        if matrix is None:
            return 0.0
        inside = self.width * (4 if self.activation == "gelu" else 1)
        return rows_of(product, matrix) * (matrix.shape[1] + inside)

    def _is_at(self, matrix: Variable) -> bool:
        return matrix.site in _SITES[self.placement]
