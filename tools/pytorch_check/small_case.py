"""Trains a model in seconds and exports it, for a check that needs no run of one's own.

python -m tools.pytorch_check.small_case FOLDER KIND [section.key=value ...]

KIND is texts, words, questions or choices.
"""

import sys
from pathlib import Path

from tools.reliability.tiny_job import (
    make_choices_run,
    make_questions_run,
    make_run,
    make_tagged_run,
)

MAKERS = {
    "texts": make_run,
    "words": make_tagged_run,
    "questions": make_questions_run,
    "choices": make_choices_run,
}

if __name__ == "__main__":
    MAKERS[sys.argv[2]](Path(sys.argv[1]), *sys.argv[3:], formats="huggingface,peft")
