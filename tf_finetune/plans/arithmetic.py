"""What a freeze plan costs, computed from the configuration alone.

Every formula is explained in docs/arithmetic.md. Parameters, gradient and optimiser bytes
are exact; FLOPs count the matrix products exactly (a multiply-add is two); activation
bytes count the tensors that TFBert's backward pass keeps and leave out what the allocator
adds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tf_finetune.encoders.variables import Variable
from tf_finetune.options.freeze import FreezeConfig
from tf_finetune.options.method import MethodConfig
from tf_finetune.plans.freezing import FreezePlan, plan_freezing

FLOAT_BYTES = 4


@dataclass(frozen=True)
class PlanCost:
    """Cost of training one plan.

    Attributes:
        trainable: Trainable parameters.
        trainable_by_part: The same per part of the model.
        gradient_bytes: One float32 a trainable parameter.
        optimizer_bytes: State the optimiser keeps.
        activation_bytes: Activations kept for the backward pass of one step.
        forward_flops: Matrix-product FLOPs of one step's forward pass.
        backward_flops: The same of its backward pass.
        prefix_flops: Part of the forward pass that a prefix cache makes unnecessary.
        state_bytes: What the prefix cache keeps of one text of this length, as float32; 0
            where there is no prefix.
    """

    trainable: int
    trainable_by_part: dict[str, int]
    gradient_bytes: int
    optimizer_bytes: int
    activation_bytes: int
    forward_flops: int
    backward_flops: int
    prefix_flops: int
    state_bytes: int

    @property
    def step_flops(self) -> int:
        """FLOPs of one training step."""
        return self.forward_flops + self.backward_flops

    @property
    def cached_step_flops(self) -> int:
        """FLOPs of one training step that reads cached states."""
        return self.step_flops - self.prefix_flops


def depth_costs(
    variables: Sequence[Variable],
    config: Mapping[str, Any],
    *,
    batch_size: int,
    length: int,
    optimizer: str = "adamw",
    dropout: bool = True,
    reads: int = 1,
) -> list[PlanCost]:
    """Cost of every frozen depth 0..L.

    Args:
        variables: The model's variables in forward order.
        config: config.json as a mapping.
        batch_size: Examples a step.
        length: Tokens an example, padding included.
        optimizer: "adamw", "sgd" or "adafactor".
        dropout: Whether dropout is on (its masks are kept for the backward pass).
        reads: Tokens of an example whose final states the head needs.
    """
    return [
        plan_cost(
            plan_freezing(FreezeConfig(depth=depth), MethodConfig(), variables),
            variables,
            config,
            batch_size=batch_size,
            length=length,
            optimizer=optimizer,
            dropout=dropout,
            reads=reads,
        )
        for depth in range(config["num_hidden_layers"] + 1)
    ]


def plan_cost(
    plan: FreezePlan,
    variables: Sequence[Variable],
    config: Mapping[str, Any],
    *,
    batch_size: int,
    length: int,
    optimizer: str = "adamw",
    dropout: bool = True,
    reads: int = 1,
) -> PlanCost:
    """Cost of one freeze plan; arguments as `depth_costs`."""
    trained = [v for v in variables if v.path in plan.trainable_paths]
    by_part: dict[str, int] = {}
    for variable in trained:
        by_part[variable.part] = by_part.get(variable.part, 0) + variable.count
    forward, backward = _step_flops(plan, config, variables[-1].count, batch_size, length, reads)
    return PlanCost(
        trainable=plan.trainable_count,
        trainable_by_part=by_part,
        gradient_bytes=FLOAT_BYTES * plan.trainable_count,
        optimizer_bytes=sum(optimizer_bytes(v.shape, optimizer) for v in trained),
        activation_bytes=_activation_bytes(plan, config, batch_size, length, reads, dropout),
        forward_flops=forward,
        backward_flops=backward,
        prefix_flops=sum(
            product.flops
            for layer in range(plan.frozen_depth)
            for product in _layer_products(layer, config, batch_size, length, reads)
        ),
        state_bytes=_state_bytes(plan, config, length, reads),
    )


def optimizer_bytes(shape: tuple[int, ...], optimizer: str) -> int:
    """Bytes of optimiser state for one variable.

    AdamW keeps two moments (Loshchilov & Hutter 2019), SGD one momentum. Adafactor needs one
    value a row and one a column of a matrix (Shazeer & Stern 2018), but that of tf-keras also
    holds the whole second moment that it makes of them, so it saves less than the paper.
    """
    count = 1
    for size in shape:
        count *= size
    if optimizer == "adamw":
        return 2 * FLOAT_BYTES * count
    if optimizer == "sgd":
        return FLOAT_BYTES * count
    if len(shape) < 2:
        return FLOAT_BYTES * count
    return FLOAT_BYTES * (count + count // shape[-1] + count // shape[-2])


@dataclass(frozen=True)
class _Product:
    """A matrix product in forward order.

    `weight` is the path of its kernel; a product of two activations has none and names the
    products that its two operands come from.
    """

    flops: int
    weight: str | None
    operands: tuple[str, ...] = ()


def _layer_products(
    layer: int, config: Mapping[str, Any], batch_size: int, length: int, reads: int
) -> list[_Product]:
    """Of the last layer only the reads are computed, from keys and values of all tokens."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    path = f"bert/encoder/layer_._{layer}"
    last = layer == config["num_hidden_layers"] - 1
    tokens = batch_size * (reads if last else length)
    square = 2 * tokens * hidden * hidden
    of_all = 2 * batch_size * length * hidden * hidden
    attention = 2 * tokens * length * hidden
    inside = f"{path}/attention/self"
    return [
        _Product(square, f"{inside}/query"),
        _Product(of_all, f"{inside}/key"),
        _Product(of_all, f"{inside}/value"),
        _Product(attention, None, (f"{inside}/query", f"{inside}/key")),
        _Product(attention, None, ("scores", f"{inside}/value")),
        _Product(square, f"{path}/attention/output/dense"),
        _Product(2 * tokens * hidden * inner, f"{path}/intermediate/dense"),
        _Product(2 * tokens * hidden * inner, f"{path}/output/dense"),
    ]


def _step_flops(
    plan: FreezePlan,
    config: Mapping[str, Any],
    num_labels: int,
    batch_size: int,
    length: int,
    reads: int,
) -> tuple[int, int]:
    """Walks the matrix products forward and prices the gradients each of them needs.

    A product's weight gradient is computed if the weight trains; the gradient of an input
    if anything that input depends on trains. Each costs as much as the product itself.
    """
    hidden = config["hidden_size"]
    trained = plan.trainable_paths
    below = not plan.embeddings_frozen  # whether something before this point trains
    forward = backward = 0

    def price(product: _Product, inputs_train: Sequence[bool]) -> None:
        nonlocal forward, backward
        forward += product.flops
        backward += product.flops * sum(inputs_train)
        if product.weight is not None and f"{product.weight}/kernel" in trained:
            backward += product.flops

    for layer in range(plan.num_layers):
        *projections, scores, context, output, up, down = _layer_products(
            layer, config, batch_size, length, reads
        )
        lit = [below or _dense_trains(p.weight, trained) for p in projections]
        for product in projections:
            price(product, [below])
        query, key, value = lit
        price(scores, [query, key])
        price(context, [query or key, value])
        below = any(lit)
        for product, norm in ((output, "attention/output"), (up, None), (down, "output")):
            price(product, [below])
            below = below or _dense_trains(product.weight, trained)
            if norm is not None:
                path = f"bert/encoder/layer_._{layer}/{norm}/LayerNorm"
                below = below or bool({f"{path}/gamma", f"{path}/beta"} & trained)
    pooler = _Product(2 * batch_size * hidden * hidden, "bert/pooler/dense")
    price(pooler, [below])
    below = below or _dense_trains(pooler.weight, trained)
    price(_Product(2 * batch_size * hidden * num_labels, "classifier"), [below])
    return forward, backward


def _state_bytes(plan: FreezePlan, config: Mapping[str, Any], length: int, reads: int) -> int:
    if plan.frozen_depth == 0:
        return 0
    tokens = reads if plan.frozen_depth == plan.num_layers else length
    return FLOAT_BYTES * tokens * int(config["hidden_size"])


def _dense_trains(path: str | None, trained: frozenset[str]) -> bool:
    return bool({f"{path}/kernel", f"{path}/bias"} & trained)


def _activation_bytes(
    plan: FreezePlan,
    config: Mapping[str, Any],
    batch_size: int,
    length: int,
    reads: int,
    dropout: bool,
) -> int:
    """Bytes kept from forward to backward by the layers above the prefix.

    A token keeps in each such layer: its input, key and value (3 hidden); query, context, two
    layer-norm inputs and one output (5 hidden), the inner states before and after GELU (2
    inner), and an attention row a head of probabilities. Dropout adds its two masks (2 hidden),
    and for attention its mask and the masked probabilities. In the last layer all but the
    first three is kept for the reads alone.
    """
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    heads, layers = config["num_attention_heads"], plan.num_layers - plan.frozen_depth
    queried = (7 if dropout else 5) * hidden + 2 * inner
    queried += (3 if dropout else 1) * heads * length
    embeddings = 0 if plan.embeddings_frozen else (3 if dropout else 2) * hidden
    per_token = layers * 3 * hidden + max(layers - 1, 0) * queried + embeddings
    last = reads * queried if layers else 0
    head = 3 * hidden  # pooler input and output, dropped-out pooler output
    return FLOAT_BYTES * batch_size * (length * per_token + last + head)
