"""Labels new texts: a stream of any length in, answers in the same order out.

`predict_texts` does the work; `ResumableFile` keeps what an interruption would lose, and
`answers` says a model's outputs in the words of its labels.
"""

from tf_finetune.prediction.answers import answers, check_top_k
from tf_finetune.prediction.bar import shown_progress
from tf_finetune.prediction.job import describe_job
from tf_finetune.prediction.parquet import write_parquet
from tf_finetune.prediction.resumable import (
    PARQUET,
    OpenStream,
    Output,
    ResumableFile,
    check_output,
)
from tf_finetune.prediction.streaming import count_texts, predict_texts

__all__ = [
    "PARQUET",
    "OpenStream",
    "Output",
    "ResumableFile",
    "answers",
    "check_output",
    "check_top_k",
    "count_texts",
    "describe_job",
    "predict_texts",
    "shown_progress",
    "write_parquet",
]
