"""From texts to what a Keras model takes, of lists and columns and inside `tf.data`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.token_rows import token_rows
from tf_finetune.errors import UserError

INPUTS = ("input_ids", "token_type_ids", "attention_mask")
_SHOWN = 40


class Preprocessing:
    """Tokenises texts and fills them up to an even length, as positional dropout needs it.

    Args:
        tokenizer: The encoder's.
        files: The encoder.
        max_length: Tokens after which a text is cut.
    """

    def __init__(self, tokenizer: Any, files: EncoderFiles, max_length: int):
        self._tokenizer, self._max_length = tokenizer, max_length
        self._takes_pairs = not files.family.needs_types or files.sizes.types > 1
        self._longest = min(max_length + max_length % 2, files.sizes.positions)
        # The first call sets how the tokenizer cuts; later ones may come from several threads.
        token_rows(tokenizer, ["a"], None, max_length)

    def __call__(self, texts: Any, pairs: Any = None) -> dict[str, Any]:
        """See `KerasClassifier.preprocess`."""
        if pairs is not None and not self._takes_pairs:
            raise UserError(
                "pairs: this encoder has one token type and so takes single texts; accepted: None"
            )
        if tf.is_tensor(texts) and not hasattr(texts, "numpy"):
            return self._in_graph(texts, pairs)
        is_scalar = tf.is_tensor(texts) and texts.shape.rank == 0
        rows = self._rows(
            listed(texts, "texts"),
            None if pairs is None else listed(pairs, "pairs"),
            self._longest if is_scalar else None,
        )
        if is_scalar:
            rows = tuple(row[0] for row in rows)
        return dict(zip(INPUTS, map(tf.constant, rows), strict=True))

    def _rows(
        self, texts: Sequence[str], pairs: Sequence[str] | None, length: int | None = None
    ) -> tuple[np.ndarray, ...]:
        if pairs is not None and len(pairs) != len(texts):
            raise UserError(
                f"pairs: received {len(pairs)} with {len(texts)} texts; accepted: one for each text"
            )
        tokens = token_rows(self._tokenizer, texts, pairs, self._max_length)
        if length is None:
            longest = max(int(tokens.lengths.max(initial=0)), 1)
            length = min(longest + longest % 2, self._longest)
        return tokens.padded(range(len(texts)), length)

    def _in_graph(self, texts: tf.Tensor, pairs: Any) -> dict[str, tf.Tensor]:
        """Of a string tensor whose value is not known yet."""
        rank = texts.shape.rank
        if rank not in (0, 1):
            raise UserError(f"texts: received a tensor of shape {texts.shape}; accepted: [] or [n]")
        length = self._longest if rank == 0 else None

        def rows(*columns: np.ndarray) -> tuple[np.ndarray, ...]:
            lists = [listed(column, "texts") for column in columns]
            found = self._rows(lists[0], lists[1] if len(lists) > 1 else None, length)
            return found if rank else tuple(row[0] for row in found)

        columns = [texts] if pairs is None else [texts, tf.convert_to_tensor(pairs, tf.string)]
        found = tf.numpy_function(rows, columns, [tf.int32] * len(INPUTS), stateful=False)
        shape = [length] if rank == 0 else [texts.shape[0], None]
        return {n: tf.ensure_shape(row, shape) for n, row in zip(INPUTS, found, strict=True)}


def listed(texts: Any, argument: str) -> list[str]:
    """Texts of whatever holds them: one, a list, an array, a column or a tensor.

    Raises:
        UserError: It holds something else.
    """
    values = texts.numpy() if tf.is_tensor(texts) else texts
    array = np.asarray([values] if isinstance(values, str | bytes) else values, object)
    if array.ndim == 0 and isinstance(array.item(), str | bytes):
        array = array[None]
    if array.ndim != 1:
        raise UserError(
            f"{argument}: received {type(texts).__name__}; accepted: a text, or a list, a column "
            "or an array of texts"
        )
    found = [one.decode(errors="replace") if isinstance(one, bytes) else one for one in array]
    strange = [place for place, text in enumerate(found) if not isinstance(text, str)]
    if strange:
        shown = [f"{repr(found[place])[:_SHOWN]} at {place}" for place in strange[:3]]
        more = f" and {len(strange) - 3} more" if len(strange) > 3 else ""
        raise UserError(f"{argument}: received {', '.join(shown)}{more}; accepted: texts")
    return found
