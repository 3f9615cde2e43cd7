"""Compiles the training step with the TPU compiler on a machine without a TPU.

`lowering` makes the step's HLO with TensorFlow; `compiler_process` compiles it in a process, and
an environment, of its own; `answers` keeps what came out; `estimates` turns it into times.
Importing this loads neither TensorFlow nor jax.
"""

from tf_finetune.preflight.answers import Answer, AnswerCache
from tf_finetune.preflight.chips import CHIPS, Chip, parse_chips
from tf_finetune.preflight.environment import Compiler, find_compiler

__all__ = [
    "CHIPS",
    "Answer",
    "AnswerCache",
    "Chip",
    "Compiler",
    "find_compiler",
    "parse_chips",
]
