"""Labels new texts: a stream of any length in, answers in the same order out.

`predict_texts` does the work; `ResumableFile` keeps what an interruption would lose, and
`answers` says a model's outputs in the words of its labels.
"""

from tf_finetune.prediction.answers import answers, check_top_k
from tf_finetune.prediction.bar import shown_progress
from tf_finetune.prediction.conversion import Conversion, conversion
from tf_finetune.prediction.job import describe_job
from tf_finetune.prediction.live import live_chunks
from tf_finetune.prediction.readable import readable_lines
from tf_finetune.prediction.resumable import (
    OpenStream,
    Output,
    ResumableFile,
    check_output,
)
from tf_finetune.prediction.streaming import CHUNK_TEXTS, json_answer, predict_texts

__all__ = [
    "CHUNK_TEXTS",
    "Conversion",
    "OpenStream",
    "Output",
    "ResumableFile",
    "answers",
    "check_output",
    "check_top_k",
    "conversion",
    "describe_job",
    "json_answer",
    "live_chunks",
    "predict_texts",
    "readable_lines",
    "shown_progress",
]
