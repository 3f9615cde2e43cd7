"""The first line of a written configuration: a checksum of the rest.

A number with one flipped bit is still a number. The line tells a change of the file, by the
disk or by a person, from what was written; whoever means a change deletes the line.
"""

import hashlib
import os
from pathlib import Path

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.loading import load_config
from tf_finetune.errors import UserError

_SEAL = "# sha256 of the lines below: {digest} (delete this line to keep a change of yours)\n"
# One flipped bit spoils one of these at most.
_MARKS = ("sha256", "lines below", "delete this")


def sealed(text: str) -> str:
    """The text of a configuration below its seal."""
    return _seal_of(text) + text


def seal_is_broken(text: str) -> bool:
    """Whether a text begins with a seal that does not fit the rest; without one it does not."""
    first, newline, rest = text.partition("\n")
    return any(mark in first for mark in _MARKS) and first + newline != _seal_of(rest)


def check_seal(path: str | os.PathLike[str]) -> str | None:
    """What to tell of a file that is not as it was written; None if it is, or has no seal.

    A file that cannot be read is left to whoever loads it.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8", errors="replace")
    except OSError:
        return None
    if seal_is_broken(text.replace("\r\n", "\n")):
        return f"{path}: damaged, or changed since it was written (its checksum differs)"
    return None


def load_written_config(path: Path) -> ExperimentConfig:
    """Loads a configuration that a run wrote into its folder.

    Raises:
        UserError: It is not as it was written, or holds mistakes.
    """
    problem = check_seal(path)
    if problem is not None:
        raise UserError(
            problem,
            hint="If the change is yours, delete the file's first line, which holds the checksum.",
        )
    config = load_config(path)
    if config == ExperimentConfig():
        raise UserError(f"{path}: damaged: it sets no option")
    return config


def _seal_of(rest: str) -> str:
    return _SEAL.format(digest=hashlib.sha256(rest.encode("utf-8")).hexdigest())
