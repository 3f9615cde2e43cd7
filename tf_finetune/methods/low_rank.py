"""What the methods have in common that change a matrix by a product of two small ones."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from tf_finetune.encoders.family import Product
from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.method import Method, rows_of
from tf_finetune.methods.targets import product_sites, sites_of, target_problems
from tf_finetune.options.values import Fraction


class LowRank(Method):
    """A matrix W above the depth gets A and B, `lora_a` and `lora_b`, beside it.

    Attributes:
        columns_option: The option that says how many columns A has.
    """

    rank: int = Field(default=8, ge=1, description="columns of A and rows of B")
    alpha: float = Field(
        default=16.0, gt=0, description="A B is multiplied with alpha / rank, see rank_stabilised"
    )
    dropout: Fraction = Field(
        default=0.0, description="probability that a unit of what goes into A is dropped"
    )
    targets: tuple[str, ...] = Field(
        default=("query", "value"),
        min_length=1,
        description="products of a layer that get A and B: query, key, value, output, up, down",
        examples=[["query", "key", "value", "output", "up", "down"]],
    )
    rate_factor: ClassVar[float] = 10.0
    columns_option: ClassVar[str] = "rank"
    not_in_peft: ClassVar[str] = ""

    @property
    def columns(self) -> int:
        """Columns of A and rows of B."""
        columns: int = getattr(self, self.columns_option)
        return columns

    @property
    def drop_rate(self) -> float:
        """See `Method`."""
        return self.dropout

    def problems(self, variables: Sequence[Variable]) -> list[str]:
        """Targets that the encoder lacks, and a rank above the width of one."""
        sites = sites_of(self.targets, product_sites(variables))
        widths = [
            min(v.shape) for v in variables if v.kind == "kernel" and v.layers and v.site in sites
        ]
        problems = target_problems(self.targets, variables)
        if widths and self.columns > min(widths):
            problems.append(
                f"method.{self.columns_option}: received {self.columns}; accepted: up to "
                f"{min(widths)}, the width of the narrowest target"
            )
        return problems

    @property
    def peft_config(self) -> dict[str, Any]:
        """What PEFT's LoRA of these columns has among its options."""
        return {
            "peft_type": "LORA",
            "r": self.columns,
            "lora_alpha": self.alpha,
            "lora_dropout": self.dropout,
            "bias": "none",
        }

    def products(self, product: Product, beside: Mapping[str, Variable]) -> tuple[Product, ...]:
        """That with A and that with B."""
        matrix = beside.get(product.name)
        if matrix is None:
            return (product,)
        width, units = matrix.shape
        rows, inside = rows_of(product, matrix), f"{product.name}.lora_a"
        # Each piece computes A anew.
        of_a = round(2 * rows * product.pieces * width * self.columns)
        of_b = round(2 * rows * self.columns * units)
        change = Product(f"{product.name}.lora_b", of_b, ((inside,),), product.once, trained=True)
        return (
            product,
            Product(inside, of_a, product.operands[:1], product.once, trained=True),
            change,
            product.plus(change.name),
        )

    def kept(self, product: Product, beside: Mapping[str, Variable], *, dropout: bool) -> float:
        """What A gives; the units that were kept of what goes in."""
        matrix = beside.get(product.name)
        if matrix is None:
            return 0.0
        return rows_of(product, matrix) * (self.columns + (matrix.shape[0] if self.dropout else 0))
