"""What the rest of the project asks of a family of encoders.

An encoder is embeddings, an ordered list of layers, a pooler and a head. A family knows what
its config.json means, which variables there are and what is multiplied with what; none of that
needs TensorFlow. How its layers are computed is asked for by `encoder`, which does.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from tf_finetune.encoders.variables import Variable, dense_variables

if TYPE_CHECKING:
    from tf_finetune.encoders.encoder import Encoder


# What the head reads of a text: the state of its first or last token, or the mean or the largest
# value of all its tokens' states. Where "first" is usual, it means with the pooler, and
# "first_state" without. "words" are the states of the first piece of each word; "second_text" are
# those of the first token and of every token of a pair's second text; "choice" are those of the
# first token of each choice, and go through the pooler.
Pooling = Literal["first", "mean", "max", "last", "first_state", "words", "second_text", "choice"]
# Those whose tokens the batches name.
OF_NAMED_TOKENS: frozenset[Pooling] = frozenset(
    ("first", "first_state", "words", "second_text", "choice")
)
# Those that a task asks for, each with what the library's models of every family call its head.
OF_TASKS: Mapping[Pooling, str] = {
    "words": "classifier",
    "second_text": "qa_outputs",
    "choice": "classifier",
}
# Those for which the last layer computes every token.
OF_ALL_TOKENS: frozenset[Pooling] = frozenset(("mean", "max"))


class Sizes(NamedTuple):
    """How large an encoder is.

    Attributes:
        layers: Encoder layers L.
        hidden: Width of a state.
        heads: Attention heads of a layer.
        inner: Width inside the feed-forward part.
        vocabulary: Token ids.
        positions: Tokens of the longest text it has positions for; that of `LARGEST` where
            nothing bounds a text.
        types: Token types; with 1 the texts of a pair are told apart by what stands between them.
        embedding: Width of the tables of embeddings; 0: that of a state.
        groups: Sets of weights that the layers share; 0: each layer has its own.
    """

    layers: int
    hidden: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int = 1
    embedding: int = 0
    groups: int = 0


# The most that each may be: far beyond any encoder, and short of what would fill the memory with
# names.
LARGEST = Sizes(10**4, 10**6, 10**4, 10**7, 10**8, 10**8, 10**4, 10**6, 10**4)


@dataclass(frozen=True)
class Product:
    """A step of a layer in forward order: a matrix product, or a norm, which costs none.

    Attributes:
        name: The site of its variables, or, where two activations are multiplied, any other name.
        flops: Of one text; a multiply-add is two.
        operands: What each activation that goes in is the sum of: names of earlier steps,
            "input", the layer's own, or "embeddings", a table that every layer reads.
        once: Whether it is computed once for all texts of a batch; the FLOPs are then a batch's.
        pieces: Products with the columns of one matrix that it is made of.
        trained: Whether the matrix is one that a method added.
        keys: How many keys each query meets, in both products of attention; 0 elsewhere.
        rows: Queries of all heads, there.
    """

    name: str
    flops: int
    operands: tuple[tuple[str, ...], ...]
    once: bool = False
    pieces: int = 1
    trained: bool = False
    keys: int = 0
    rows: int = 0

    def plus(self, *names: str) -> "Product":
        """The sum of what this step and others give, under the name of this one."""
        return Product(self.name, 0, ((self.name, *names),), self.once)


class Places(NamedTuple):
    """Keras layers of a wrapped model that are frozen and trained as wholes.

    Attributes:
        embeddings: All that is frozen with the embeddings.
        layers: The encoder layers; one that is shared stands wherever it is applied.
        pooler: What stands between the last of them and the head.
        head: The dense layer that answers.
        with_last: What stands above the layers and is frozen with the last of them.
    """

    embeddings: Sequence[Any]
    layers: Sequence[Any]
    pooler: Sequence[Any]
    head: Any
    with_last: Sequence[Any] = ()


class Accepted(NamedTuple):
    """What a key of config.json may say.

    Attributes:
        default: What it says where it is left out.
        values: The values that are computed faithfully.
    """

    default: Any
    values: tuple[Any, ...]


class Family(ABC):
    """One family of encoders; its objects hold no state.

    Attributes:
        model_type: `model_type` in config.json.
        library: Where `transformers` keeps it: `models.LIBRARY.modeling_tf_LIBRARY`.
        classifier_class: Name of the TensorFlow class there.
        backbone: Prefix of the encoder's tensors in a checkpoint with a head.
        layer_tensors: What comes before a layer's number in the names of its tensors.
        size_keys: Under which key config.json gives each of the `Sizes`.
        dropout_keys: Keys of config.json that hold rates of dropout: of states, of attention
            probabilities, and where some states have rates of their own theirs.
        accepted: Keys of config.json of which not every value is computed faithfully.
        head_names: Path and tensor of the dense layer that answers.
        head_has_bias: Whether that adds a bias.
        pooling: What the library's own head reads. That alone goes through the pooler; whatever
            else is read goes straight to the dropout before the head.
        poolings: What can be read.
        kept_of_all: States of each token that a layer keeps for the backward pass, even where few
            tokens are read of it.
        kept_of_read: Those that it keeps beside these of the tokens that are read.
        choice_pooler: What the library's model of choices calls the pooler; None: as that of texts
            does.
        bounded_pooler: Whether what the pooler gives lies between -1 and 1.
        needs_types: Whether the texts of a pair are told apart by token types alone; otherwise
            one type is enough for pairs.
        unread: Paths of what the library's model holds and its own head never reads.
    """

    model_type: ClassVar[str]
    library: ClassVar[str]
    classifier_class: ClassVar[str]
    backbone: ClassVar[str]
    layer_tensors: ClassVar[str]
    size_keys: ClassVar[Mapping[str, str]]
    dropout_keys: ClassVar[tuple[str, ...]]
    accepted: ClassVar[Mapping[str, Accepted]]
    head_names: ClassVar[tuple[str, str]]
    head_has_bias: ClassVar[bool] = True
    pooling: ClassVar[Pooling] = "first"
    poolings: ClassVar[tuple[Pooling, ...]] = (
        *("first", "mean", "max", "last", "first_state"),
        *OF_TASKS,
    )
    kept_of_all: ClassVar[int] = 3
    kept_of_read: ClassVar[int] = 5
    choice_pooler: ClassVar[str | None] = None
    bounded_pooler: ClassVar[bool] = True
    needs_types: ClassVar[bool] = False
    unread: ClassVar[frozenset[str]] = frozenset()

    def problems(self, config: Mapping[str, Any], where: str) -> list[str]:
        """What in config.json is missing, contradicts itself or would be computed wrongly.

        Args:
            config: config.json as a mapping.
            where: Path of the file, for messages.
        """
        keys = ((key, getattr(LARGEST, name)) for name, key in self.size_keys.items())
        found = [
            f"{where}: {key}: received {config.get(key)!r}, accepted: an integer from 1 to "
            f"{largest:,}"
            for key, largest in keys
            if type(config.get(key)) is not int or not 1 <= config[key] <= largest
        ]
        if not found:
            found += self._widths(config, where)
        for key, accepted in self.accepted.items():
            value = config.get(key, accepted.default)
            if value not in accepted.values:
                received = json.dumps(value) if isinstance(value, bool) else repr(value)
                names = (v if isinstance(v, str) else json.dumps(v) for v in accepted.values)
                found.append(f"{where}: {key}: received {received}, accepted: {', '.join(names)}")
        return found

    def _widths(self, config: Mapping[str, Any], where: str) -> list[str]:
        hidden, heads = self.size_keys["hidden"], self.size_keys["heads"]
        width = config[hidden]
        if width % config[heads]:
            return [f"{where}: {hidden} {width} is not a multiple of {heads} {config[heads]}"]
        # A row of PositionalDropout starts on a block of four random numbers.
        keys = (self.size_keys[name] for name in ("hidden", "embedding") if name in self.size_keys)
        return [
            f"{where}: {key}: received {config[key]}, accepted: multiples of 4"
            for key in keys
            if config[key] % 4
        ]

    def sizes(self, config: Mapping[str, Any]) -> Sizes:
        """The sizes that a checked config.json gives."""
        return Sizes(**{name: int(config[key]) for name, key in self.size_keys.items()})

    def with_layers(self, config: Mapping[str, Any], layers: int) -> dict[str, Any]:
        """config.json of an encoder that has the first layers alone."""
        return {**config, self.size_keys["layers"]: layers}

    def possible_layers(self, config: Mapping[str, Any]) -> list[int]:
        """To how many of its first layers an encoder can be cut, ascending; the last is all."""
        return list(range(1, self.sizes(config).layers + 1))

    @abstractmethod
    def encoder_variables(self, config: Mapping[str, Any]) -> tuple[Variable, ...]:
        """All variables below the head, the pooler's among them, in forward order."""

    def variables(
        self, config: Mapping[str, Any], num_labels: int, pooling: Pooling | None = None
    ) -> tuple[Variable, ...]:
        """All variables of a classifier in forward order, the pooler's only where it is used.

        Args:
            config: config.json as a mapping.
            num_labels: Width of the head.
            pooling: What the head reads; None: as usual for the family.
        """
        shape = (self.sizes(config).hidden, num_labels)
        path, tensor = self.head_names
        tensor = tensor if pooling is None else OF_TASKS.get(pooling, tensor)
        head = dense_variables(path, tensor, shape, "head", "head")
        has_pooler = pooling in (None, self.pooling, "choice")
        below = self.encoder_variables(config)
        if pooling == "choice":
            below = tuple(map(self._as_of_choices, below))
        return (
            *(v for v in below if has_pooler or v.part != "pooler"),
            *(v for v in head if self.head_has_bias or v.kind != "bias"),
        )

    def _as_of_choices(self, variable: Variable) -> Variable:
        """A variable with the name that it has in the library's model of choices."""
        if variable.part != "pooler" or self.choice_pooler is None:
            return variable
        kind = variable.tensor.rpartition(".")[2]
        return replace(variable, tensor=f"{self.choice_pooler}.{kind}")

    def zero_tensors(self, num_labels: int, pooling: Pooling) -> dict[str, tuple[int, ...]]:
        """Shapes of tensors that the library's head has beside `variables`: here they are zeros.

        Args:
            num_labels: Width of the head.
            pooling: What the head reads.
        """
        if pooling == "words" and not self.head_has_bias:
            return {"classifier.bias": (num_labels,)}
        return {}

    @abstractmethod
    def products(self, sizes: Sizes, layer: int, tokens: int, queries: int) -> tuple[Product, ...]:
        """What a layer computes for one text, in forward order; the last is what it gives.

        Args:
            sizes: Of the encoder.
            layer: Number of the layer.
            tokens: Tokens of the text.
            queries: Of how many of them the layer's output is computed.
        """

    def adapted(self, config: Any) -> Any:
        """The library's configuration, changed where its own model could not be built with it.

        Args:
            config: Of the `classifier_class`.
        """
        return config

    @abstractmethod
    def places(self, wrapped: Any) -> Places:
        """Where the library's model keeps what is frozen and trained.

        Args:
            wrapped: A `classifier_class`.
        """

    @abstractmethod
    def encoder(self, wrapped: Any, sizes: Sizes) -> "Encoder":
        """How the library's model is computed, from its own sublayers; needs TensorFlow.

        Args:
            wrapped: A `classifier_class`, built.
            sizes: Of the encoder.
        """
