"""What a model asks of an encoder that it computes layer by layer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from tf_finetune.encoders.affine import Change
from tf_finetune.encoders.dense_and_norm import ChangedDense
from tf_finetune.encoders.dropout import PositionalDropout
from tf_finetune.encoders.put_before import PutBefore

# What the library adds to the attention scores of what a token does not see.
MASKED_SCORE = -10000.0


class Run(NamedTuple):
    """How one pass is computed.

    Attributes:
        training: Whether units are dropped.
        masked_score: Added to the attention scores of what a token does not see.
        head_factors: What each attention head of a layer is multiplied with, [b, heads, 1, 1];
            None: 1.
    """

    training: bool = False
    masked_score: float = MASKED_SCORE
    head_factors: tf.Tensor | None = None


class Encoder(ABC):
    """An encoder that can be computed layer by layer.

    Attributes:
        embeddings: What `embed` calls.
        layers: What `layer` calls.
        dropouts: All of the encoder and that before the head, each with a site of its own.
    """

    embeddings: Callable[..., tf.Tensor]
    layers: Sequence[Any]
    dropouts: tuple[PositionalDropout, ...]

    @property
    def activated(self) -> Sequence[Any]:
        """What has an activation."""
        return self.layers

    @property
    @abstractmethod
    def dtype(self) -> tf.DType:
        """Type in which states are computed."""

    def embed(
        self, token_ids: tf.Tensor, type_ids: tf.Tensor, positions: tf.Tensor | None, run: Run
    ) -> tf.Tensor:
        """What the first layer reads, [b, t, hidden].

        Args:
            token_ids: [b, t] int32.
            type_ids: [b, t] int32.
            positions: Of each token in its text, [b, t] int32; None: each row counts from 0.
            run: How.
        """
        return self.embeddings(token_ids, type_ids, positions, run)

    @abstractmethod
    def context(self, segment_ids: tf.Tensor, *, packed: bool, run: Run) -> tf.Tensor:
        """What is added to attention scores, [b, 1 or heads, 1 or t, t].

        Args:
            segment_ids: 1 for tokens and 0 for padding, or the numbers of packed texts,
                [b, t] int32.
            packed: Whether they number texts, which do not see each other.
            run: How.
        """

    def layer(
        self, index: int, x: tf.Tensor, context: tf.Tensor, reads: tf.Tensor | None, run: Run
    ) -> tf.Tensor:
        """States above a layer: [b, t, hidden], or of the reads alone [b, r, hidden].

        Args:
            index: Number of the layer.
            x: States below it, [b, t, hidden].
            context: From `context`.
            reads: Positions of which the states are wanted, [b, r] int32; None: all.
            run: How.
        """
        states: tf.Tensor = self.layers[index](x, context, reads, run)
        return states

    def as_last(self, x: tf.Tensor) -> tf.Tensor:
        """States above a layer as they would be if it were the last, [b, t, hidden] both.

        The same, unless a family has something above its last layer, such as a norm.

        Args:
            x: What `layer` gave, of another than the last layer.
        """
        return x

    def change(self, layer: int, site: str, change: Change) -> None:
        """Puts what a method makes of a product in its place.

        Args:
            layer: Number of the layer.
            site: Which of its products.
            change: What the method makes of it.
        """
        block = self.layers[layer]
        setattr(block, site, self.changed(getattr(block, site), change))
        self.dropouts = (*self.dropouts, change.dropout)

    def put_before(self, layer: int, keys: tf.Variable, values: tf.Variable) -> None:
        """Puts keys and values before those of every text.

        Args:
            layer: Number of the layer.
            keys: [rows, units of all heads].
            values: The same.
        """
        block = self.layers[layer]
        block.put_before = PutBefore(keys, values)
        if keys.shape[0] % 2:  # so have a row's probabilities no longer a multiple of four
            block.dropouts.probabilities.whole_blocks = False

    def changed(self, product: Any, change: Change) -> Any:
        """A product of a layer with what a method makes of it.

        Args:
            product: As the layers hold it.
            change: What the method makes of it.
        """
        return ChangedDense(product, change)

    @abstractmethod
    def pool(self, x: tf.Tensor, run: Run, *, pooler: bool) -> tf.Tensor:
        """What was read of each text as the head gets it, [b, r, hidden] both.

        That is all that is computed above every frozen depth and below the head.

        Args:
            x: What was read.
            run: How.
            pooler: Whether it goes through the family's pooler before the dropout.
        """
