"""What a LiteRT file takes."""

from collections.abc import Mapping

import numpy as np

from tf_finetune.data.splits import Split

INPUTS = ("token_ids", "token_type_ids", "attention_mask")
Tokens = Mapping[str, np.ndarray]


def split_tokens(split: Split, rows: np.ndarray, pad_to: int | None = None) -> Tokens:
    """Padded tokens of some examples by the names of the signature, int32 [b, t] each."""
    batch = split.gather(rows, pad_to)
    return {name: getattr(batch, name) for name in INPUTS}
