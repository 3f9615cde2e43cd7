"""How often the tokenizer inside an exported model differs from the one of the training."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import tensorflow as tf

from tf_finetune.data.token_store_writer import truncating_tokenizer

_BATCH = 512
_EXAMPLES = 10

Tokens = Mapping[str, tf.Tensor]


@dataclass
class Skew:
    """Texts that two tokenizers were given, and those on which they differ.

    Attributes:
        texts: How many texts, pairs counted as one.
        mismatches: On how many any id, type id or the length differs.
        examples: The first of those.
    """

    texts: int = 0
    mismatches: int = 0
    examples: list[tuple[bytes, ...]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Share of the texts that differ."""
        return self.mismatches / max(1, self.texts)


def measure_skew(
    tokenizer: Any,
    tokenize: Callable[..., Tokens],
    texts: Iterable[tuple[bytes, ...]],
    max_length: int,
) -> Skew:
    """Tokenises texts in both ways.

    Args:
        tokenizer: The fast tokenizer; it truncates as in training.
        tokenize: The other one, of string tensors [b], as `GraphTokenizer`.
        texts: Texts by themselves, or all in pairs. For the fast tokenizer bytes that are not
            UTF-8 are decoded by Python, with U+FFFD in their place.
        max_length: Longest text in tokens.
    """
    backend = truncating_tokenizer(tokenizer, max_length)
    skew = Skew()
    remaining = iter(texts)
    while batch := list(islice(remaining, _BATCH)):
        columns = list(zip(*batch, strict=True))
        found = {
            name: value.numpy() for name, value in tokenize(*map(tf.constant, columns)).items()
        }
        decoded = [[text.decode("utf-8", errors="replace") for text in c] for c in columns]
        inputs = decoded[0] if len(columns) == 1 else list(zip(*decoded, strict=True))
        expected = backend.encode_batch(inputs)
        for index, encoding in enumerate(expected):
            length = int(found["attention_mask"][index].sum())
            if (
                found["token_ids"][index, :length].tolist() != encoding.ids
                or found["token_type_ids"][index, :length].tolist() != encoding.type_ids
            ):
                skew.mismatches += 1
                if len(skew.examples) < _EXAMPLES:
                    skew.examples.append(tuple(column[index] for column in columns))
        skew.texts += len(batch)
    return skew
