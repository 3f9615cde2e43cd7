"""Adapters of PEFT, made by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LORA = {"peft_type": "LORA", "r": 2, "lora_alpha": 6, "bias": "none", "peft_version": "0.21.2"}


@pytest.fixture
def make_adapter(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of tensors by the encoder's names and of what adapter_config.json says."""
    from safetensors.numpy import save_file

    def make(tensors: dict[str, Any], said: dict[str, Any] | None = None, **more: Any) -> Path:
        folder = tmp_path / "adapter"
        folder.mkdir(exist_ok=True)
        config = {**(LORA if said is None else said), **more}
        (folder / "adapter_config.json").write_text(json.dumps(config))
        named = {f"base_model.model.{name}": value for name, value in tensors.items()}
        save_file(named, folder / "adapter_model.safetensors")
        return folder

    return make
