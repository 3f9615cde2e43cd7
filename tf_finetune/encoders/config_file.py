"""Reads the configuration of an encoder's folder."""

import json
from pathlib import Path
from typing import Any

from tf_finetune.encoders.checkpoints.opening import ACCEPTED
from tf_finetune.encoders.checkpoints.other_files import what_lies_there
from tf_finetune.errors import UserError

CONFIG_FILE = "config.json"
# The name that Google gave it, of BERT, with checkpoints of TensorFlow 1.
GOOGLE_CONFIG_FILE = "bert_config.json"


def read_encoder_config(folder: Path) -> dict[str, Any]:
    """Reads config.json of a model folder, or Google's bert_config.json.

    Raises:
        UserError: The file is missing or is not a JSON object.
    """
    path = folder / CONFIG_FILE
    google = not path.exists() and (folder / GOOGLE_CONFIG_FILE).is_file()
    path = folder / GOOGLE_CONFIG_FILE if google else path
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        what, hint = what_lies_there(folder)
        raise UserError(
            f"encoder.name: {folder} has no config.json, and {what}; accepted: a folder with "
            f"config.json, {ACCEPTED}, and a tokenizer",
            hint=hint,
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(config, dict):
        raise UserError(f"{path}: received a {type(config).__name__}, accepted: a JSON object")
    return {"model_type": "bert", **config} if google else config


def has_config(folder: Path) -> bool:
    """Whether a folder has a configuration."""
    return any((folder / name).is_file() for name in (CONFIG_FILE, GOOGLE_CONFIG_FILE))
