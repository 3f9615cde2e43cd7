"""What a LiteRT file takes."""

from collections.abc import Mapping

import numpy as np

from tf_finetune.data.splits import Split
from tf_finetune.tasks.labels import LabelSpace

INPUTS = ("token_ids", "token_type_ids", "attention_mask")
# Of a model that answers each word; -1 stands where a row has no more words.
READS = "reads"
Tokens = Mapping[str, np.ndarray]


def input_names(labels: LabelSpace) -> tuple[str, ...]:
    """Names of the inputs in the order of `data.batch.text_rows`."""
    return (*INPUTS, READS) if labels.answers_each_read else INPUTS


def split_tokens(
    split: Split, rows: np.ndarray, pad_to: int | None = None, reads: int | None = None
) -> Tokens:
    """Padded inputs of some rows by the names of the signature.

    Args:
        split: The examples.
        rows: Places in it.
        pad_to: Tokens of a row; None: of the longest.
        reads: Words of a row, where words are answered; None: of the one that has the most.

    Returns:
        int32 [b, t] each, and the positions of the words [b, r], where words are answered.
    """
    batch = split.gather(rows, pad_to)
    tokens = {name: getattr(batch, name) for name in INPUTS}
    if split.task.answers_each_read:
        width = int(split.read_counts[rows].max()) if reads is None else reads
        where = split.is_read[rows, :width]
        tokens[READS] = np.where(where, split.reads[rows, :width], -1).astype(np.int32)
    return tokens
