"""The JSON report of a suite: what was measured, on what, and with which options."""

import argparse
import datetime
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class ReportFile:
    """One report, written again after every run, so that an interruption keeps the runs.

    Args:
        suite: Name of the suite.
        arguments: Its options; folders are left out.
        folder: Where the report goes.
        inputs: Files that the figures depend on, by name; their digests are kept.
    """

    def __init__(
        self,
        suite: str,
        arguments: argparse.Namespace,
        folder: Path,
        inputs: Mapping[str, Path],
    ) -> None:
        started = datetime.datetime.now(datetime.timezone.utc)
        self.path = folder / f"{suite}-{started:%Y%m%dT%H%M%SZ}.json"
        self._facts = {
            "suite": suite,
            "started": started.isoformat(timespec="seconds"),
            "machine": machine(),
            "options": {k: v for k, v in vars(arguments).items() if not isinstance(v, Path)},
            "sha256": {name: sha256(path) for name, path in inputs.items()},
        }

    def write(self, results: Mapping[str, Any]) -> None:
        """Writes everything measured so far, by temporary name and rename."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".tmp")
        text = json.dumps({**self._facts, **results}, indent=2)
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(self.path)

    def name_below(self, root: Path) -> Path:
        """The path as people want to read it: from the clone, if it lies there."""
        return self.path.relative_to(root) if self.path.is_relative_to(root) else self.path


def machine() -> dict[str, Any]:
    """What the figures depend on; no names of hosts or folders."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def sha256(path: Path) -> str:
    """Digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
