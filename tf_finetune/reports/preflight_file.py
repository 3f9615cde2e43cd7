"""Reads what `preflight` wrote, for the report of a search."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tf_finetune.errors import UserError

_OF_THE_FILE = {
    *("encoder", "length", "precision", "examples", "epochs", "cells"),
    "assumptions_of_estimates",
}
_OF_A_CELL = {"chip", "depth", "batch_size", "fits"}
_OF_A_FITTING_CELL = {
    *("device_bytes", "flops", "estimated_step_seconds", "estimated_job_seconds"),
}


def read_preflight(path: str, encoder: str) -> Mapping[str, Any]:
    """The content of a preflight.json.

    Args:
        path: The file.
        encoder: Name of the encoder that it has to be about.

    Raises:
        UserError: It cannot be read, is something else, or is about another encoder.
    """
    accepted = "accepted: the preflight.json that `preflight` wrote for this encoder"
    try:
        content = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"search.preflight: {path} cannot be read: {error.strerror}; {accepted}"
        ) from None
    except ValueError:
        raise UserError(f"search.preflight: {path} is no JSON; {accepted}") from None
    if not _is_preflight(content):
        raise UserError(f"search.preflight: {path} holds something else; {accepted}")
    if content["encoder"] != encoder:
        raise UserError(
            f"search.preflight: {path} is about {content['encoder']}, the search about {encoder}; "
            f"{accepted}"
        )
    result: Mapping[str, Any] = content
    return result


def _is_preflight(content: Any) -> bool:
    if not isinstance(content, dict) or not content.keys() >= _OF_THE_FILE:
        return False
    cells = content["cells"]
    return isinstance(cells, list) and all(
        isinstance(cell, dict)
        and cell.keys() >= (_OF_A_CELL | _OF_A_FITTING_CELL if cell.get("fits") else _OF_A_CELL)
        for cell in cells
    )
