"""What a LiteRT file takes."""

from collections.abc import Mapping

import numpy as np

from tf_finetune.data.splits import Split
from tf_finetune.data.texts_of_rows import TextsOfRows
from tf_finetune.tasks.labels import LabelSpace

INPUTS = ("token_ids", "token_type_ids", "attention_mask")
# Of a model that reads several states of a row; -1 stands where a row has no more of them.
READS = "reads"
Tokens = Mapping[str, np.ndarray]


def input_names(labels: LabelSpace) -> tuple[str, ...]:
    """Names of the inputs in the order of `data.batch.text_rows`."""
    return (*INPUTS, READS) if labels.reads_several() else INPUTS


def split_tokens(
    split: Split, rows: np.ndarray, pad_to: int | None = None, reads: int | None = None
) -> Tokens:
    """Padded inputs of some rows by the names of the signature.

    Args:
        split: The examples.
        rows: Places in it.
        pad_to: Tokens of a row; None: of the longest.
        reads: Reads of a row, where it has several; None: of the one that has the most.

    Returns:
        int32 [b, t] each, and the positions of the reads [b, r], where there are several; of rows
        that hold several texts [b, texts, t] each.
    """
    batch = split.gather(rows, pad_to)
    tokens = {name: getattr(batch, name) for name in INPUTS}
    if split.task.several_texts:
        return _apart(tokens, split.texts_of_rows(rows, tokens[INPUTS[0]].shape[1]), pad_to)
    if split.task.reads_several():
        width = int(split.read_counts[rows].max()) if reads is None else reads
        where = split.is_read[rows, :width]
        tokens[READS] = np.where(where, split.reads[rows, :width], -1).astype(np.int32)
    return tokens


def _apart(tokens: Tokens, texts: TextsOfRows, pad_to: int | None) -> Tokens:
    """The texts of rows, each padded by itself, [b, texts, t]."""
    numbers, positions = texts
    row, column = np.nonzero(numbers)
    place = row, numbers[row, column] - 1, positions[row, column]
    shape = len(numbers), int(numbers.max()), pad_to or int(positions.max()) + 1
    found = {}
    for name, values in tokens.items():
        found[name] = np.zeros(shape, np.int32)
        found[name][place] = values[row, column]
    return found
