"""Loads the fast tokenizer that belongs to an encoder."""

from typing import TYPE_CHECKING, Any

from tf_finetune.encoders.config_file import CONFIG_FILE
from tf_finetune.encoders.letter_case import derived_lower_case
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def load_tokenizer(files: EncoderFiles) -> "PreTrainedTokenizerFast":
    """Loads the tokenizer from the encoder's folder and checks that it fits the encoder.

    Raises:
        UserError: There is no tokenizer, it has no fast form, or it makes token ids for
            which the encoder has no embedding.
    """
    if not any((files.path / name).is_file() for name in ("tokenizer.json", "vocab.txt")):
        raise UserError(
            f"encoder.name: {files.path} has no tokenizer; accepted: tokenizer.json or vocab.txt "
            "beside the weights",
            hint="Copy the tokenizer's files from the model that this one was trained from.",
        )
    from transformers import AutoTokenizer  # takes half a second, and what is missing is told first

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(files.path),
            use_fast=True,
            local_files_only=True,
            trust_remote_code=False,
            **_unsaid(files),
        )
    except UserError:
        raise
    except Exception as error:  # whatever the tokenizer's own parser raises on bad files
        raise UserError(f"{files.path}: the tokenizer cannot be read: {error}") from error
    if not tokenizer.is_fast:
        raise UserError(f"{files.path}: the tokenizer has no fast form; accepted: tokenizer.json")
    check_vocabulary(tokenizer, files)
    return tokenizer


def _unsaid(files: EncoderFiles) -> dict[str, Any]:
    """What the tokenizer's files do not say of it, where that is known otherwise."""
    from transformers import AutoConfig

    known: dict[str, Any] = {}
    lower = derived_lower_case(files.path)
    if lower is not None:
        known["do_lower_case"] = lower
    if not (files.path / CONFIG_FILE).is_file():
        known["config"] = AutoConfig.for_model(**files.config)
    return known


def check_vocabulary(tokenizer: "PreTrainedTokenizerFast", files: EncoderFiles) -> None:
    """Refuses a tokenizer whose ids reach beyond the encoder's embedding table."""
    largest = max(tokenizer.get_vocab().values())
    rows = files.sizes.vocabulary
    if largest >= rows:
        raise UserError(
            f"{files.path}: the tokenizer does not fit the encoder: its largest token id is "
            f"{largest}, the encoder has embeddings for ids 0 to {rows - 1}"
        )
