"""Encoders whose weights lie in other files."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tf_finetune.encoders.locating import EncoderFiles


@pytest.fixture
def in_format(tiny_encoder: Path, tmp_path: Path) -> Callable[..., EncoderFiles]:
    """Write the tiny encoder's weights by a function of a folder and of tensors by PyTorch's names.

    `change` gets the tensors and may change them; other keywords go to config.json.
    """
    from safetensors.numpy import load_file

    def make(
        write: Callable[[Path, dict[str, Any]], object],
        change: Callable[[dict[str, Any]], dict[str, Any]] = lambda tensors: tensors,
        **config: Any,
    ) -> EncoderFiles:
        folder = tmp_path / "in_format"
        shutil.copytree(tiny_encoder, folder, dirs_exist_ok=True)
        (folder / "model.safetensors").unlink()
        usual = json.loads((tiny_encoder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(usual | config))
        write(folder, change(load_file(tiny_encoder / "model.safetensors")))
        return EncoderFiles("other format", folder)

    return make


@pytest.fixture(scope="session")
def usual_values(tiny_encoder: Path) -> dict[str, Any]:
    """The tiny encoder's values by path, as they come from its own file."""
    return values_of(EncoderFiles("tiny", tiny_encoder))


@pytest.fixture(scope="session")
def read_values() -> Callable[[EncoderFiles], dict[str, Any]]:
    """Give an encoder's values by path, without those of its head."""
    return values_of


def values_of(files: EncoderFiles) -> dict[str, Any]:
    with files.checkpoint.reading() as read:
        return {
            v.path: read(v) for v in files.family.variables(files.config, 2) if v.part != "head"
        }
