"""Loads the fast tokenizer that belongs to an encoder."""

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_finetune.encoders.config_file import CONFIG_FILE
from tf_finetune.encoders.letter_case import derived_lower_case
from tf_finetune.encoders.locating import EncoderFiles
from tf_finetune.encoders.tokenizer_files import SENTENCEPIECE_FILES
from tf_finetune.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# Files that a tokenizer can be read from, the first complete set of them.
_FILES = (("tokenizer.json",), ("vocab.txt",), ("vocab.json", "merges.txt"))


def whole_texts(backend: Any) -> Any:
    """A copy of a fast tokenizer's backend that gives all tokens of a text, and no others.

    Args:
        backend: Of the package `tokenizers`; its file may say how it pads and cuts.
    """
    copied = copy.deepcopy(backend)
    copied.no_padding()
    copied.no_truncation()
    return copied


def load_tokenizer(files: EncoderFiles) -> "PreTrainedTokenizerFast":
    """Loads the tokenizer from the encoder's folder and checks that it fits the encoder.

    One that has no padding token pads with what ends a text.

    Raises:
        UserError: There is no tokenizer, it has no fast form, it has nothing to pad with, or it
            makes token ids for which the encoder has no embedding.
    """
    kind = _file_of(files.path)
    unsaid = _unsaid(files)
    from transformers import AutoTokenizer  # takes half a second, and what is missing is told first

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(files.path),
            use_fast=True,
            local_files_only=True,
            trust_remote_code=False,
            **unsaid,
        )
    except Exception as error:  # whatever the tokenizer's own parser raises on bad files
        if kind in SENTENCEPIECE_FILES:
            raise UserError(
                f"{files.path / kind}: cannot be converted into a fast tokenizer here; accepted: "
                "tokenizer.json beside it",
                hint="Where the package sentencepiece is installed, transformers writes one: "
                f'AutoTokenizer.from_pretrained("{files.path}").save_pretrained("{files.path}")',
            ) from error
        raise UserError(f"{files.path}: the tokenizer cannot be read: {error}") from error
    if not tokenizer.is_fast:
        raise UserError(f"{files.path}: the tokenizer has no fast form; accepted: tokenizer.json")
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise UserError(
                f"{files.path}: the tokenizer has no padding token, which fills a batch up; "
                "accepted: pad_token, or eos_token, in tokenizer_config.json"
            )
        tokenizer.pad_token = tokenizer.eos_token
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


def _file_of(folder: Path) -> str:
    """Name of the file that a folder's tokenizer is read from."""
    for names in (*_FILES, *((name,) for name in SENTENCEPIECE_FILES)):
        if all((folder / name).is_file() for name in names):
            return names[0]
    accepted = ", ".join(" with ".join(names) for names in _FILES)
    raise UserError(
        f"encoder.name: {folder} has no tokenizer; accepted: one of {accepted} and "
        f"{', '.join(SENTENCEPIECE_FILES)} beside the weights",
        hint="Copy the tokenizer's files from the model that this one was trained from.",
    )


def check_vocabulary(tokenizer: "PreTrainedTokenizerFast", files: EncoderFiles) -> None:
    """Refuses a tokenizer whose ids reach beyond the encoder's embedding table."""
    largest = max(tokenizer.get_vocab().values())
    rows = files.sizes.vocabulary
    if largest >= rows:
        raise UserError(
            f"{files.path}: the tokenizer does not fit the encoder: its largest token id is "
            f"{largest}, the encoder has embeddings for ids 0 to {rows - 1}"
        )


def gives_types(tokenizer: Any) -> bool:
    """Whether a tokenizer tells the texts of a pair apart by token types.

    Where it does not, a model of transformers gets type 0 for both, whatever types it has.
    """
    return "token_type_ids" in tokenizer.model_input_names
