"""What families share whose layers normalise after attention and after the feed-forward part.

That is a layer of Vaswani et al. 2017, "Attention is all you need"; `blocks` computes it. A
family says what its sublayers are called. One table of names serves its variables, their
tensors in a checkpoint, and the search for the sublayers in the library's model.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from tf_finetune.encoders.family import Family, Product, Sizes
from tf_finetune.encoders.variables import Part, Variable, dense_variables, norm_variables

if TYPE_CHECKING:
    from tf_finetune.encoders.encoder import Encoder

# Those of transformers' TensorFlow models; looking there would load TensorFlow.
ACTIVATIONS = (
    *("gelu", "gelu_10", "gelu_fast", "gelu_new", "glu", "mish"),
    *("quick_gelu", "relu", "sigmoid", "silu", "swish", "tanh"),
)
# Tables of vectors that are added up: what each is called in TensorFlow, and which of the sizes
# counts its rows.
WORDS = {"word_embeddings": ("weight", "vocabulary")}
TYPES = {"token_type_embeddings": ("embeddings", "types")}
POSITIONS = {"position_embeddings": ("embeddings", "positions")}

_PARTS: dict[str, Part] = {
    **dict.fromkeys(("query", "key", "value", "attention_output"), "attention"),
    **dict.fromkeys(("up", "down"), "feed_forward"),
}


class Rates(NamedTuple):
    """Probabilities that a unit is dropped.

    Attributes:
        hidden: Of states.
        attention: Of attention probabilities.
        head: Before the head.
        pooler: Before the pooler, where that drops.
    """

    hidden: float
    attention: float
    head: float
    pooler: float


class PostNormFamily(Family):
    """A family of such encoders.

    Attributes:
        tables: Of the embeddings, by name.
        layer_paths: What comes before a layer's number in the paths of its variables.
        site_names: Name of each sublayer inside a layer, in forward order.
        pooler_name: Of the dense layer between the encoder and the head.
        pooler_activation: Of its output, where the dense layer has none of its own.
        drops_before_pooler: Whether what the pooler reads has a dropout of its own.
        drops_attended: Whether what attention gives has one.
        first_position: Row of the table of positions that a text's first token takes.
        activation_key: Key of config.json that names the activation of a layer.
    """

    tables: ClassVar[Mapping[str, tuple[str, str]]]
    layer_paths: ClassVar[str] = "encoder/layer_._"
    layer_tensors = "encoder.layer"
    site_names: ClassVar[Mapping[str, str]]
    pooler_name: ClassVar[str] = "classifier/dense"
    pooler_activation: ClassVar[str | None] = None
    drops_before_pooler: ClassVar[bool] = True
    drops_attended: ClassVar[bool] = True
    first_position: ClassVar[int] = 0
    activation_key: ClassVar[str] = "hidden_act"

    def problems(self, config: Mapping[str, Any], where: str) -> list[str]:
        """Those of every family, and a table of positions that is too short."""
        found = super().problems(config, where)
        key = self.size_keys["positions"]
        if not found and config[key] <= self.first_position:
            found = [
                f"{where}: {key}: received {config[key]}, accepted: from {self.first_position + 1}"
            ]
        return found

    def sizes(self, config: Mapping[str, Any]) -> Sizes:
        """The sizes that config.json gives; positions below the first have no token."""
        sizes = super().sizes(config)
        return sizes._replace(positions=sizes.positions - self.first_position)

    def encoder_variables(self, config: Mapping[str, Any]) -> tuple[Variable, ...]:
        """Embeddings, layers and pooler."""
        sizes = self.sizes(config)
        square = (sizes.hidden, sizes.hidden)
        return (
            *self.embedding_variables(config),
            *(v for layers in self.sharing(sizes) for v in self.layer_variables(config, layers)),
            *dense_variables(*names_of(self.pooler_name), square, "pooler", "pooler"),
        )

    def embedding_variables(self, config: Mapping[str, Any]) -> Iterator[Variable]:
        """The tables and the norm of their sum."""
        sizes = self.sizes(config)
        width = sizes.embedding or sizes.hidden
        path, tensor = names_of(f"{self.backbone}/embeddings")
        for name, (inside, size) in self.tables.items():
            yield Variable(
                f"{path}/{name}/{inside}",
                f"{tensor}.{name}.weight",
                (config[self.size_keys[size]], width),
                "embeddings",
                "embedding",
                site=name,
            )
        yield from norm_variables(
            f"{path}/LayerNorm", f"{tensor}.LayerNorm", width, "embeddings", "norm"
        )

    def sharing(self, sizes: Sizes) -> list[frozenset[int]]:
        """The layers that have the same weights, for each set of weights in forward order."""
        return [frozenset({layer}) for layer in range(sizes.layers)]

    def layer_names(self, layer: int, sizes: Sizes) -> tuple[str, str]:
        """What the paths and the tensors of a layer's variables begin with."""
        tensor = f"{self.backbone}.{self.layer_tensors}.{layer}"
        return f"{self.backbone}/{self.layer_paths}{layer}", tensor

    def layer_variables(
        self, config: Mapping[str, Any], layers: frozenset[int]
    ) -> Iterator[Variable]:
        """Those of layers that share their weights, in forward order."""
        sizes = self.sizes(config)
        path, tensor = self.layer_names(min(layers), sizes)
        widths = {"up": (sizes.hidden, sizes.inner), "down": (sizes.inner, sizes.hidden)}
        for site, name in self.site_names.items():
            names = f"{path}/{name}", f"{tensor}.{name.replace('/', '.')}"
            if site in _PARTS:
                shape = widths.get(site, (sizes.hidden, sizes.hidden))
                yield from dense_variables(*names, shape, _PARTS[site], site, layers)
            else:
                yield from norm_variables(*names, sizes.hidden, "layer_norm", site, layers)

    def products(self, sizes: Sizes, layer: int, tokens: int, queries: int) -> tuple[Product, ...]:
        """Those of a post-norm layer, in every layer.

        Keys and values are computed of all tokens, everything else of the queries alone.
        """
        square = 2 * queries * sizes.hidden**2
        of_all = 2 * tokens * sizes.hidden**2
        attention = 2 * queries * tokens * sizes.hidden
        inner = 2 * queries * sizes.hidden * sizes.inner
        below = (("input",),)
        rows = sizes.heads * queries
        return (
            Product("query", square, below),
            Product("key", of_all, below),
            Product("value", of_all, below),
            Product("scores", attention, (("query",), ("key",)), keys=tokens, rows=rows),
            Product("context", attention, (("scores",), ("value",)), keys=tokens, rows=rows),
            Product("attention_output", square, (("context",),)),
            Product("attention_norm", 0, (("attention_output", "input"),)),
            Product("up", inner, (("attention_norm",),)),
            Product("down", inner, (("up",),)),
            Product("output_norm", 0, (("down", "attention_norm"),)),
        )

    def rates(self, config: Any) -> Rates:
        """What `dropout_keys` say; what the pooler reads is dropped as what the head does.

        Args:
            config: The library's, of a wrapped model.
        """
        hidden, attention, *own = (getattr(config, key) for key in self.dropout_keys)
        head = own[0] if own and own[0] is not None else hidden
        return Rates(float(hidden), float(attention), float(head), float(head))

    def encoder(self, wrapped: Any, sizes: Sizes) -> "Encoder":
        """A post-norm encoder above sums of embeddings."""
        from tf_finetune.encoders import blocks
        from tf_finetune.encoders.sublayers import Sublayers

        config, found = wrapped.config, Sublayers(wrapped)
        rates = self.rates(config)
        embeddings = f"{self.backbone}/embeddings"
        tables = {
            name: found.variables.get(f"{embeddings}/{name}/{inside}")
            for name, (inside, _) in self.tables.items()
        }
        drops = self.drops_before_pooler
        dropped = blocks.pooler_dropout(rates.pooler, sizes) if drops else None
        extra = self.pooler_activation
        norm = found.layers[f"{embeddings}/LayerNorm"]
        return blocks.PostNormEncoder(
            blocks.SummedEmbeddings(
                words=tables["word_embeddings"],
                positions=tables.get("position_embeddings"),
                types=tables.get("token_type_embeddings"),
                norm=norm,
                dropout=blocks.embeddings_dropout(rates.hidden),
                dtype=norm.compute_dtype,
                first_position=self.first_position,
                projection=self.projection(found),
            ),
            [self.block(found, config, sizes, index) for index in range(sizes.layers)],
            pooler=blocks.Pooler(
                found.layers[self.pooler_name],
                None if extra is None else blocks.activation(extra),
                dropped,
            ),
            head_dropout=blocks.head_dropout(rates.head),
            distances=self.distances(found, sizes),
        )

    def block(self, found: Any, config: Any, sizes: Sizes, index: int) -> Any:
        """How a layer is computed: a `blocks.PostNormLayer`; arguments as for `block_parts`."""
        from tf_finetune.encoders import blocks

        return blocks.PostNormLayer(**self.block_parts(found, config, sizes, index))

    def block_parts(self, found: Any, config: Any, sizes: Sizes, index: int) -> dict[str, Any]:
        """What a layer is computed from: arguments of `blocks.PostNormLayer`.

        Args:
            found: `Sublayers` of the wrapped model.
            config: The library's, of the wrapped model.
            sizes: Of the encoder.
            index: Number of the layer.
        """
        from tf_finetune.encoders import blocks

        rates = self.rates(config)
        return {
            "name": f"layer_._{index}",
            **{site: found.layers[path] for site, path in self.site_paths(index, sizes).items()},
            "activation": blocks.activation(getattr(config, self.activation_key)),
            "head_width": sizes.hidden // sizes.heads,
            "dropouts": blocks.layer_dropouts(
                index, rates.hidden, rates.attention, sizes, attended=self.drops_attended
            ),
        }

    def site_paths(self, layer: int, sizes: Sizes) -> dict[str, str]:
        """Path of each sublayer of a layer."""
        path, _ = self.layer_names(layer, sizes)
        return {site: f"{path}/{name}" for site, name in self.site_names.items()}

    def projection(self, found: Any) -> Any:
        """Dense layer between embeddings and layers of another width; None where there is none.

        Args:
            found: `Sublayers` of the wrapped model.
        """
        return None

    def distances(self, found: Any, sizes: Sizes) -> Any:
        """`blocks.Distances` that every layer adds to its scores; None where there are none.

        Args:
            found: `Sublayers` of the wrapped model.
            sizes: Of the encoder.
        """
        return None


def names_of(path: str) -> tuple[str, str]:
    """Path and tensor of what is called the same in TensorFlow and PyTorch."""
    return path, path.replace("/", ".")
