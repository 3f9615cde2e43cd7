"""What a freeze plan costs, computed from the configuration alone.

Every formula is explained in docs/arithmetic.md. Parameters, gradient and optimiser bytes
are exact; FLOPs count the matrix products exactly (a multiply-add is two); activation
bytes count the tensors that the backward pass of a post-norm layer keeps and leave out what
the allocator adds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tf_finetune.encoders.family import OF_ALL_TOKENS, Family, Pooling, Product, Sizes
from tf_finetune.encoders.variables import Variable
from tf_finetune.methods.method import Method
from tf_finetune.plans.freezing import FreezePlan

FLOAT_BYTES = 4


@dataclass(frozen=True)
class PlanCost:
    """Cost of training one plan.

    Attributes:
        trainable: Trainable parameters.
        trainable_by_part: The same per part of the model.
        gradient_bytes: One float32 a trainable parameter.
        optimizer_bytes: State the optimiser keeps, and beside it the method, and averages.
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


def plan_cost(
    plan: FreezePlan,
    variables: Sequence[Variable],
    family: Family,
    sizes: Sizes,
    *,
    batch_size: int,
    length: int,
    optimizer: str = "adamw",
    dropout: bool = True,
    reads: int = 1,
    pooling: Pooling = "first",
    recompute: bool = False,
    averages: bool = False,
    adversarial: bool = False,
) -> PlanCost:
    """Cost of training one freeze plan.

    Args:
        plan: What trains.
        variables: The model's variables in forward order.
        family: The encoder's.
        sizes: Of the encoder.
        batch_size: Examples a step.
        length: Tokens an example, padding included.
        optimizer: "adamw", "sgd" or "adafactor".
        dropout: Whether dropout is on (its masks are kept for the backward pass).
        reads: Vectors of an example that the head reads.
        pooling: Whether these are final states of single tokens or come from all of them.
        recompute: Whether trained layers are computed again in the backward pass.
        averages: Whether the average of what trains is kept.
        adversarial: Whether a step has a second pass above the boundary, and the first gives
            the gradient of the states there.
    """
    queries = length if pooling in OF_ALL_TOKENS else reads
    trained = [v for v in variables if v.path in plan.trainable_paths]
    by_part: dict[str, int] = {}
    for variable in trained:
        by_part[variable.part] = by_part.get(variable.part, 0) + variable.count
    added = {v.beside.path: v.beside for v in trained if v.beside is not None}

    def walked(lights_boundary: bool) -> tuple[_Passes, int]:
        """All products, and the FLOPs of those below the boundary."""
        passes = _Passes(trained, batch_size, plan.method, tuple(added.values()), dropout=dropout)
        passes.through_embeddings(variables, length)
        at_boundary = passes.forward
        for layer in range(sizes.layers):
            if layer == plan.frozen_depth and lights_boundary:
                passes.light()
            below = passes.forward
            passes.through_layer(layer, _products(family, sizes, layer, length, queries))
            if layer == sizes.layers - 1 and pooling == "mean":
                passes.through_mean(2 * reads * length * sizes.hidden)
            if layer < plan.frozen_depth:
                at_boundary = passes.forward
            elif recompute:
                passes.backward += passes.forward - below
        if plan.frozen_depth == sizes.layers and lights_boundary:
            passes.light()
        passes.above_layers(variables)
        return passes, at_boundary

    passes, at_boundary = walked(lights_boundary=False)
    kept = passes.kept.values()
    if adversarial:
        first, _ = walked(lights_boundary=True)
        passes.forward += first.forward - at_boundary
        passes.backward += first.backward
    passes.through_penalty(added.values())
    return PlanCost(
        trainable=plan.trainable_count,
        trainable_by_part=by_part,
        gradient_bytes=FLOAT_BYTES * plan.trainable_count,
        optimizer_bytes=sum(optimizer_bytes(v.shape, optimizer) for v in trained)
        + FLOAT_BYTES * plan.method.averages * sum(v.count for v in plan.added)
        + (FLOAT_BYTES * plan.trainable_count if averages else 0),
        activation_bytes=FLOAT_BYTES
        * (
            batch_size
            * (
                _layer_activations(plan, family, sizes, length, queries, dropout, recompute)
                + _head_activations(variables, sizes, pooling, length, reads)
            )
            + round(max(kept, default=0) if recompute else sum(kept))
        ),
        forward_flops=passes.forward,
        backward_flops=passes.backward,
        prefix_flops=at_boundary if plan.frozen_depth else 0,
        state_bytes=_state_bytes(plan, sizes, length, reads),
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


def _products(
    family: Family, sizes: Sizes, layer: int, length: int, queries: int
) -> tuple[Product, ...]:
    """Of the last layer only what is read is computed, from keys and values of all tokens."""
    queries = queries if layer == sizes.layers - 1 else length
    return family.products(sizes, layer, length, queries)


class _Passes:
    """Walks the matrix products of a batch forward and prices the gradients each needs.

    A product's weight gradient is computed if the weight trains; the gradient of an input
    if anything that input depends on trains. Each costs as much as the product itself.

    Args:
        trained: The variables that train.
        batch_size: Texts of the batch.
        method: That added some of them.
        matrices: Those beside which it did.
        dropout: Whether the encoder's own dropout is on.

    Attributes:
        forward: FLOPs of the forward pass so far.
        backward: FLOPs of the backward pass so far.
        kept: Values that the method keeps for the backward pass, by layer.
    """

    def __init__(
        self,
        trained: Sequence[Variable],
        batch_size: int,
        method: Method,
        matrices: Sequence[Variable],
        *,
        dropout: bool,
    ):
        self._batch_size = batch_size
        self._method = method
        self._dropout = dropout
        self._beside: dict[int, dict[str, Variable]] = {}
        for matrix in matrices:
            for layer in matrix.layers:
                sites = (matrix.site, *matrix.other_sites)
                self._beside.setdefault(layer, {}).update(dict.fromkeys(sites, matrix))
        self.forward = self.backward = 0
        self.kept: dict[int, float] = {}
        self._kinds: dict[tuple[int | None, str], set[str]] = {}
        for variable in trained:
            if variable.beside is not None:  # a step of the method's says so
                continue
            for place in variable.layers or (None,):
                for site in (variable.site, *variable.other_sites):
                    self._kinds.setdefault((place, site), set()).add(variable.kind)
        self._embeddings = any(v.part == "embeddings" and v.kind != "kernel" for v in trained)
        self._below = self._embeddings  # whether something before this point trains

    def through_embeddings(self, variables: Sequence[Variable], length: int) -> None:
        """Adds the products that bring embeddings to the width of a state, where there are some."""
        for variable in variables:
            if variable.kind == "kernel" and variable.part == "embeddings":
                product = Product(variable.site, 2 * length * variable.count, ())
                self._below = self._price(None, product, [self._below])

    def light(self) -> None:
        """From here on the gradient of what the next product reads is wanted."""
        self._below = True

    def through_layer(self, layer: int, products: Sequence[Product]) -> None:
        """Adds the products of a layer."""
        lit = {"input": self._below, "embeddings": self._embeddings}
        beside = self._beside.get(layer)
        for step in products:
            texts = 1 if step.once else self._batch_size
            for product in (step,) if beside is None else self._method.products(step, beside):
                operands = [any(lit[name] for name in operand) for operand in product.operands]
                lit[product.name] = self._price(layer, product, operands)
            if beside is not None:
                kept = texts * self._method.kept(step, beside, dropout=self._dropout)
                self.kept[layer] = self.kept.get(layer, 0.0) + kept
        self._below = lit[products[-1].name]

    def through_mean(self, flops: int) -> None:
        """Adds the product that makes the mean of a text's states."""
        self._below = self._price(None, Product("mean", flops, ()), [self._below])

    def above_layers(self, variables: Sequence[Variable]) -> None:
        """Adds the products of pooler and head."""
        for variable in variables:
            if variable.kind == "kernel" and variable.part in ("pooler", "head"):
                product = Product(variable.site, 2 * variable.count, ())
                self._below = self._price(None, product, [self._below])

    def through_penalty(self, matrices: Iterable[Variable]) -> None:
        """Adds what the method makes smaller beside the loss, once a step."""
        for matrix in matrices:
            flops = self._method.penalty_flops(matrix)
            self.forward += flops
            self.backward += 2 * flops

    def _price(self, layer: int | None, product: Product, operands: Sequence[bool]) -> bool:
        """Adds a product; whether something that its result depends on trains.

        Args:
            layer: Number of the layer; None outside the layers.
            product: The product.
            operands: Whether something that each activation depends on trains.
        """
        flops = product.flops * (1 if product.once else self._batch_size)
        kinds = self._kinds.get((layer, product.name), set())
        is_trained = product.trained or "kernel" in kinds
        self.forward += flops
        self.backward += flops * (sum(operands) + is_trained)
        return any(operands) or product.trained or bool(kinds)


def _state_bytes(plan: FreezePlan, sizes: Sizes, length: int, reads: int) -> int:
    if plan.frozen_depth == 0:
        return 0
    tokens = reads if plan.frozen_depth == plan.num_layers else length
    return FLOAT_BYTES * tokens * sizes.hidden


def _layer_activations(
    plan: FreezePlan,
    family: Family,
    sizes: Sizes,
    length: int,
    queries: int,
    dropout: bool,
    recompute: bool,
) -> int:
    """Values of a text kept from forward to backward by the layers above the prefix.

    A token keeps in each such layer: its input, key and value (3 hidden); query, context, two
    layer-norm inputs and one output (5 hidden), the inner states before and after GELU (2
    inner), and an attention row a head of probabilities. Dropout adds its two masks (2 hidden),
    and for attention its mask and the masked probabilities. In the last layer all but the
    first three is kept for its queries alone. Where what a layer reads is normalised first, both
    are kept of all tokens: 4 hidden, and 4 of the queries. A layer that is computed again keeps
    its input alone until then, so that no two layers keep all of it at once.
    """
    hidden, inner, heads = sizes.hidden, sizes.inner, sizes.heads
    width = sizes.embedding or hidden
    layers = plan.num_layers - plan.frozen_depth
    queried = (family.kept_of_read + (2 if dropout else 0)) * hidden + 2 * inner
    queried += (3 if dropout else 1) * heads * length
    embeddings = 0 if plan.embeddings_frozen else (3 if dropout else 2) * width
    if recompute and layers:
        lower = length * queried if layers > 1 else queries * queried
        inputs = layers * length * hidden
        return inputs + length * (family.kept_of_all * hidden + embeddings) + lower
    per_token = layers * family.kept_of_all * hidden + max(layers - 1, 0) * queried + embeddings
    last = queries * queried if layers else 0
    return length * per_token + last


def _head_activations(
    variables: Sequence[Variable], sizes: Sizes, pooling: Pooling, length: int, reads: int
) -> int:
    """Values of a text kept above the layers.

    These are what is read, what the pooler made of it if there is one, and what dropout left; and
    for the largest values all that they were chosen from.
    """
    kept = 3 if any(variable.part == "pooler" for variable in variables) else 2
    chosen_from = length if pooling == "max" else 0
    return (kept * reads + chosen_from) * sizes.hidden
