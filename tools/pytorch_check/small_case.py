"""Trains a model in seconds and exports it, for a check that needs no run of one's own.

python -m tools.pytorch_check.small_case FOLDER [section.key=value ...]
"""

import sys
from pathlib import Path

from tools.reliability.tiny_job import make_run

if __name__ == "__main__":
    make_run(Path(sys.argv[1]), *sys.argv[2:], formats="huggingface,peft")
