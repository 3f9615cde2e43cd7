"""What a folder of sentence-transformers tells: where its encoder lies, and how it is pooled.

`modules.json` lists what a text goes through, each with its folder: a Transformer, a Pooling,
perhaps more. Old folders keep the encoder in `0_Transformer`, newer ones beside the list.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tf_finetune.encoders.config_file import has_config
from tf_finetune.errors import UserError

MODULES_FILE = "modules.json"
POOLING_FOLDER = "1_Pooling"  # where nothing else is listed
# Older files have a flag for each mode, newer ones name the mode.
_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "lasttoken",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
}


class PoolingFile(NamedTuple):
    """The configuration of a Pooling module.

    Attributes:
        path: Where it is, or should be.
        modes: What is computed of a text, such as "mean", and joined; None: there is no such file.
    """

    path: Path
    modes: tuple[str, ...] | None


def transformer_folder(folder: Path) -> Path:
    """Where a model's config.json and weights are: the folder itself, or one that it lists.

    Raises:
        UserError: The list is damaged.
    """
    if has_config(folder):
        return folder
    return folder / (_module_folder(folder, "Transformer") or "")


def pooling_file(encoder: Path) -> PoolingFile | None:
    """How an encoder is pooled; None where nothing but the encoder is there.

    Args:
        encoder: The folder of its config.json.

    Raises:
        UserError: A file is damaged.
    """
    folder = encoder
    if not (folder / MODULES_FILE).is_file():
        folder = encoder.parent
        if _module_folder(folder, "Transformer") != encoder.name:
            return None
    listed = _module_folder(folder, "Pooling")
    path = folder / (listed or POOLING_FOLDER) / "config.json"
    if path.is_file():
        return PoolingFile(path, _modes(_read(path, dict, "object"), path))
    return PoolingFile(path, None) if listed else None


def _modes(config: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    named = config.get("pooling_mode")
    if named is None:
        flagged = tuple(mode for flag, mode in _FLAGS.items() if config.get(flag) is True)
        return flagged or ("mean",)  # what the library itself computes where nothing is said
    modes = named if isinstance(named, list) else [named]
    if not modes or not all(isinstance(mode, str) for mode in modes):
        raise UserError(
            f"{path}: pooling_mode: received {named!r}; accepted: {', '.join(_FLAGS.values())}"
        )
    return tuple(mode.lower() for mode in modes)


def _module_folder(folder: Path, kind: str) -> str | None:
    """The folder, inside this one, of the first module of a kind such as "Pooling"."""
    path = folder / MODULES_FILE
    if not path.is_file():
        return None
    for module in _read(path, list, "list"):
        if isinstance(module, dict) and str(module.get("type")).rpartition(".")[2] == kind:
            inside = str(module.get("path", ""))
            if Path(inside).name != inside or inside == "..":
                raise UserError(
                    f"{path}: path: received {inside!r}; accepted: a folder beside the file"
                )
            return inside
    return None


def _read(path: Path, kind: type, name: str) -> Any:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(content, kind):
        raise UserError(f"{path}: received a {type(content).__name__}, accepted: a JSON {name}")
    return content
