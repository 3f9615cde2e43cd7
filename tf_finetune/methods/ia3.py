"""IA3: the units of some products are scaled, each by a number of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tf_finetune.encoders.family import Product
from tf_finetune.encoders.variables import Variable, added_variable
from tf_finetune.methods.method import Method, rows_of
from tf_finetune.methods.peft_adapter import PeftAdapter
from tf_finetune.methods.targets import is_target, product_sites, sites_of, target_problems

if TYPE_CHECKING:
    import numpy as np

    from tf_finetune.encoders.affine import Affine, Drop, Values

# Of what a product gives, and of what goes into it; PEFT has one name for both.
_UNITS, _INPUTS = "ia3_units", "ia3_inputs"
_TENSOR = "ia3_l"


class Ia3(Method):
    """Keys, values and the inner states of the feed-forward part are scaled, unit by unit.

    Where the three products of attention are one, as in GPT-2, queries are scaled too.

    Source: H. Liu et al. 2022, "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper
    than In-Context Learning".
    """

    name: Literal["ia3"] = "ia3"
    targets: tuple[str, ...] = Field(
        default=("key", "value"),
        min_length=1,
        description="products of a layer of which each unit that they give is scaled",
    )
    feedforward_targets: tuple[str, ...] = Field(
        default=("down",),
        description="products of a layer of which each unit that goes in is scaled",
        examples=[["down"]],
    )
    rate_factor: ClassVar[float] = 30.0
    by_unit: ClassVar[frozenset[str]] = frozenset((_UNITS,))
    not_in_peft: ClassVar[str] = ""

    @property
    def words(self) -> str:
        """By its name."""
        return "IA3"

    def problems(self, variables: Sequence[Variable]) -> list[str]:
        """Targets that the encoder lacks, and those that are in both lists."""
        known, option = product_sites(variables), "feedforward_targets"
        both = set(sites_of(self.targets, known)) & set(sites_of(self.feedforward_targets, known))
        return [
            *target_problems(self.targets, variables),
            *target_problems(self.feedforward_targets, variables, option),
            *(
                f"method.{option}: received {site}, which is one of method.targets too; accepted: "
                "each product in one of the two lists"
                for site in sorted(both & set(known))
            ),
        ]

    def added(self, matrix: Variable) -> tuple[Variable, ...]:
        """Ones, so that training begins at the pretrained model."""
        width, units = matrix.shape
        if is_target(matrix, self.targets):
            return (added_variable(matrix, _UNITS, _TENSOR, (1, units), "ones"),)
        if is_target(matrix, self.feedforward_targets):
            return (added_variable(matrix, _INPUTS, _TENSOR, (width, 1), "ones"),)
        return ()

    def product(self, affine: "Affine", x: Any, values: "Values", drop: "Drop") -> Any:
        """Scales what comes out, bias and all, or what goes in."""
        if _UNITS in values:
            return affine(x) * values[_UNITS][0]
        return affine(x * values[_INPUTS][:, 0])

    def merged(
        self, kernel: "np.ndarray", bias: "np.ndarray", values: "dict[str, np.ndarray]"
    ) -> "tuple[np.ndarray, np.ndarray]":
        """Columns of the matrix and the bias are scaled, or its rows."""
        if _UNITS in values:
            return kernel * values[_UNITS], bias * values[_UNITS][0]
        return kernel * values[_INPUTS], bias

    def peft_adapter(self, added: "Mapping[Variable, Mapping[str, np.ndarray]]") -> PeftAdapter:
        """PEFT's IA3, where inputs that are scaled are those of feed-forward modules."""
        tensors = {}
        for matrix, values in added.items():
            (scale,) = values.values()
            tensors[matrix] = {_TENSOR: scale.T}
        scaled_inputs = [matrix for matrix, values in added.items() if _INPUTS in values]
        return PeftAdapter({"peft_type": "IA3"}, tensors, {"feedforward_modules": scaled_inputs})

    def products(self, product: Product, beside: Mapping[str, Variable]) -> tuple[Product, ...]:
        """No more of them; the gradient passes through a product whose inputs are scaled."""
        matrix, scaled = beside.get(product.name), f"{product.name}.{_TENSOR}"
        if matrix is None:
            return (product,)
        if is_target(matrix, self.targets):
            own = Product(scaled, 0, ((product.name,),), product.once, trained=True)
            return (product, own, product.plus(scaled))
        own = Product(scaled, 0, product.operands[:1], product.once, trained=True)
        return (own, replace(product, operands=((scaled,),)))

    def kept(self, product: Product, beside: Mapping[str, Variable], *, dropout: bool) -> float:
        """What a product gave before it was scaled."""
        matrix = beside.get(product.name)
        if matrix is None or not is_target(matrix, self.targets):
            return 0.0
        return rows_of(product, matrix) * matrix.shape[1]
