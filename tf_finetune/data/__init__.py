"""Labelled text: sources -> records -> token store -> splits -> batches.

`check_sources` tells at once what is not there. `load_splits` is the way in for training and
`load_split` for scoring; both give `Split`s, whose `gather` gives padded tokens for the index
arrays of `epoch_batches` and `evaluation_batches`.
"""

from tf_finetune.data.batches import (
    epoch_batches,
    evaluation_batches,
    length_buckets,
    padded_length,
)
from tf_finetune.data.folds import OUT_OF_FOLD, Round, describe_folds, rounds_of, scored_split
from tf_finetune.data.labels import LabelSpace
from tf_finetune.data.loading import Splits, load_split, load_splits
from tf_finetune.data.raw_labels import RawLabels
from tf_finetune.data.records import Record
from tf_finetune.data.sources import check_sources, check_texts, read_texts
from tf_finetune.data.splits import Split
from tf_finetune.data.summary import DataSummary
from tf_finetune.data.summary_tables import render_summary
from tf_finetune.data.token_store import TokenBatch, TokenStore

__all__ = [
    "OUT_OF_FOLD",
    "DataSummary",
    "LabelSpace",
    "RawLabels",
    "Record",
    "Round",
    "Split",
    "Splits",
    "TokenBatch",
    "TokenStore",
    "check_sources",
    "check_texts",
    "describe_folds",
    "epoch_batches",
    "evaluation_batches",
    "length_buckets",
    "load_split",
    "load_splits",
    "padded_length",
    "read_texts",
    "render_summary",
    "rounds_of",
    "scored_split",
]
