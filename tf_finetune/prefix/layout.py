"""Where each example's states stand, and what identifies them."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_finetune.data.batches import evaluation_batches
from tf_finetune.data.splits import Split
from tf_finetune.encoders.family import OF_NAMED_TOKENS
from tf_finetune.encoders.pooling import TEXT_POOLING

if TYPE_CHECKING:  # files of states can be read without TensorFlow
    from tf_finetune.models.classifier import Classifier

# Rows computed, written and checked together.
BLOCK_ROWS = 512
FORMAT_VERSION = 1
# Keys of config.json that change nothing of what a prefix computes: they tell of labels, files and
# versions, and of how new weights are drawn. Neither do the family's rates of dropout, which a
# prefix does not have. Whatever else stands there may matter to some encoder.
_NOT_OF_THE_PREFIX = frozenset(
    (
        *("id2label", "label2id", "num_labels", "problem_type", "finetuning_task"),
        *("label_threshold", "target_mean", "target_deviation", TEXT_POOLING),
        *("_name_or_path", "architectures", "transformers_version", "torch_dtype", "dtype"),
        *("initializer_range", "gradient_checkpointing", "use_cache"),
    )
)


@dataclass(frozen=True, eq=False)
class Layout:
    """Places of the states of a split at a depth: longest text first, block after block.

    Attributes:
        split: The examples.
        depth: Frozen layers passed.
        hidden: Width of a state.
        dtype: How a value is stored.
        reads_only: Whether the whole encoder is the prefix, whose last layer computes the reads
            alone.
    """

    split: Split
    depth: int
    hidden: int
    dtype: np.dtype
    reads_only: bool

    @cached_property
    def order(self) -> np.ndarray:
        """Examples in the order in which they are stored, int64 `[n]`."""
        (order,) = evaluation_batches(self.split.lengths, len(self.split))
        return order

    @cached_property
    def lengths(self) -> np.ndarray:
        """Tokens kept of each example, int64 `[n]`."""
        if self.reads_only:
            return self.split.read_counts.astype(np.int64)
        return self.split.lengths.astype(np.int64)

    @cached_property
    def starts(self) -> np.ndarray:
        """First token of each example in the stored order, int64 `[n]`."""
        ends = np.cumsum(self.lengths[self.order])
        starts = np.empty(len(self.order), np.int64)
        starts[self.order] = ends - self.lengths[self.order]
        return starts

    @property
    def tokens(self) -> int:
        """Tokens kept of all examples."""
        return int(self.lengths.sum())

    @property
    def bytes(self) -> int:
        """Size of all states."""
        return self.tokens * self.hidden * self.dtype.itemsize

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-len(self.order) // BLOCK_ROWS)

    def block(self, index: int) -> np.ndarray:
        """Examples of a block in their stored order, int64."""
        return self.order[index * BLOCK_ROWS : (index + 1) * BLOCK_ROWS]

    def block_tokens(self, index: int) -> slice:
        """Tokens of a block among all that are stored."""
        examples = self.block(index)
        first, last = examples[0], examples[-1]
        return slice(int(self.starts[first]), int(self.starts[last] + self.lengths[last]))

    def key(self, prefix_sha256: str) -> str:
        """Hash of all that decides the states and their places, hex."""
        return hashlib.sha256(json.dumps(self.parts(prefix_sha256)).encode()).hexdigest()

    def parts(self, prefix_sha256: str) -> dict[str, Any]:
        """What the key is made of."""
        texts = self.split.store.text_hashes[self.split.rows]
        reads = {}
        if self.reads_only:
            reads = {"reads_sha256": hashlib.sha256(self.split.reads.tobytes()).hexdigest()}
        return reads | {
            "format_version": FORMAT_VERSION,
            "prefix_sha256": prefix_sha256,
            "token_store": self.split.store.key,
            # Not the rows' numbers: joined splits count theirs anew.
            "texts_sha256": hashlib.sha256(texts.tobytes()).hexdigest(),
            "depth": self.depth,
            "dtype": self.dtype.name,
            "hidden": self.hidden,
            "tokens": self.tokens,
            "block_rows": BLOCK_ROWS,
        }


def prefix_digests(classifier: "Classifier") -> tuple[str, ...]:
    """Hash of everything that the prefixes of depth 1 to the frozen depth compute with, hex."""
    files = classifier.files
    left_out = _NOT_OF_THE_PREFIX.union(files.family.dropout_keys)
    # Of the whole encoder: layers above the prefix change nothing, whether they are used or not.
    config = files.whole_config
    computing = {name: value for name, value in config.items() if name not in left_out}
    digest = hashlib.sha256()
    digest.update(json.dumps(computing, sort_keys=True).encode())
    digest.update(classifier.states_dtype.name.encode())
    found = []
    for depth in range(classifier.plan.frozen_depth + 1):
        layer = depth - 1 if depth else None  # None: the embeddings, which come first
        for row in classifier.plan.rows:
            if row.first_layer == layer and row.part not in ("pooler", "head"):
                digest.update(row.path.encode())
                digest.update(classifier.by_path[row.path].numpy().tobytes())
        whole = digest.copy()
        # Of named tokens the reads in the key of a layout tell.
        if depth == classifier.plan.num_layers and files.pooling not in OF_NAMED_TOKENS:
            whole.update(files.pooling.encode())
        found.append(whole.hexdigest())
    return tuple(found[1:])
