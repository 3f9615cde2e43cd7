"""Whether texts are lower-cased, where a folder has a bare vocabulary and says nothing of it.

Google's checkpoints are such folders. Their programs take an option and hold it against the
folder's name (`validate_case_matches_checkpoint` of google-research/bert); here the vocabulary
decides too: whoever lower-cases texts never meets a piece that has a capital.
"""

import json
import logging
import unicodedata
from pathlib import Path

from tf_finetune.errors import UserError

logger = logging.getLogger(__name__)

VOCABULARY_FILE = "vocab.txt"
_OPTION = "do_lower_case"


def derived_lower_case(folder: Path) -> bool | None:
    """Derives whether texts are lower-cased, and says so.

    Returns:
        None where there is nothing to derive: files of the tokenizer say it.

    Raises:
        UserError: The folder's name and the vocabulary contradict each other.
    """
    vocabulary, settings = folder / VOCABULARY_FILE, folder / "tokenizer_config.json"
    if (folder / "tokenizer.json").is_file() or not vocabulary.is_file():
        return None
    if _says(settings):
        return None
    lower = not _has_capitals(vocabulary)
    named = _by_name(folder.absolute().name)
    remedy = f'Write {{"{_OPTION}": true}} or false into {settings}.'
    if named is not None and named != lower:
        raise UserError(
            f"{folder}: by its name the encoder is {_word(named)}, by its {VOCABULARY_FILE} "
            f"{_word(lower)}",
            hint=remedy,
        )
    logger.warning(
        "%s: nobody says if texts are lower-cased; taken as %s, as its pieces %s capitals. %s",
        vocabulary,
        _word(lower),
        "have no" if lower else "have",
        remedy,
    )
    return lower


def _says(settings: Path) -> bool:
    try:
        content = json.loads(settings.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError, RecursionError):
        return True  # the tokenizer's own reader says what is wrong with it
    return not isinstance(content, dict) or _OPTION in content


def _has_capitals(vocabulary: Path) -> bool:
    """Whether a piece beside the special ones has a letter that lower-casing would change."""
    try:
        pieces = vocabulary.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UserError(f"{vocabulary}: the vocabulary cannot be read: {error}") from None
    return any(
        unicodedata.category(letter) == "Lu" and letter.lower() != letter
        for piece in pieces
        if not (piece.startswith("[") and piece.endswith("]"))
        for letter in piece
    )


def _by_name(name: str) -> bool | None:
    """As Google names its folders; None where a name says nothing."""
    name = name.lower()
    if "uncased" in name or name.startswith(("multilingual_l-", "chinese_l-")):
        return True
    return False if "cased" in name else None


def _word(lower: bool) -> str:
    return "uncased" if lower else "cased"
