"""Tells the name of a source from a text, where a command takes either."""

from pathlib import Path

from tf_finetune.sources.formats import has_known_ending
from tf_finetune.sources.opening import BUILTIN, TFDS


def names_a_source(word: str) -> bool:
    """Whether a word of the command line means a source, there or missing, and not a text.

    It does if a file or folder of that name exists; if it begins with `tfds:` or is
    `builtin:docstrings`; if it ends as files of data do (`new.csv`, `my texts.csv`); or if it
    holds a slash or backslash and no white space (`data/new`).
    """
    if word.startswith(TFDS) or word == BUILTIN or has_known_ending(word):
        return True
    if not any(character.isspace() for character in word) and ("/" in word or "\\" in word):
        return True
    return is_there(word)


def is_there(name: str) -> bool:
    """Whether there is a file or folder of a name; never of a name that no file can have."""
    try:
        return bool(name) and Path(name).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long, NUL, ~ of nobody
        return False
