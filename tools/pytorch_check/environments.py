"""The PyTorch environment, with one major version of transformers or another, and with PEFT.

PyTorch and transformers 4 are those of the benchmarks. Transformers 5 lies beside them in a
folder of its own that Python looks into first, because PyTorch is large and the same for both.
So does PEFT, which no benchmark needs.
"""

import os
import subprocess
import sys
from pathlib import Path

from tools.benchmarks.torch_environment import BenchError, ensure_torch_environment

NEWER_FOLDER = ".venv-transformers5"
NEWER = ("transformers==5.23.0", "numpy<2.4")
PEFT_FOLDER = ".venv-peft"
# Without their dependencies, which stand in the environment.
PEFT = ("--no-deps", "peft==0.21.2", "accelerate==1.15.0", "psutil==7.2.2")
STAMP = "requirements.txt"
MAJORS = ("4", "5")


def torch_python(root: Path, major: str) -> tuple[Path, dict[str, str]]:
    """Makes what is missing of the environment.

    Args:
        root: Top folder of the clone.
        major: Major version of transformers, one of `MAJORS`.

    Returns:
        The Python interpreter, and the environment variables to start it with.

    Raises:
        BenchError: If a step of the installation fails.
    """
    python = ensure_torch_environment(root)
    variables = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    folders = [_installed(python, root / PEFT_FOLDER, PEFT)]
    if major != "4":
        folders.insert(0, _installed(python, root / NEWER_FOLDER, NEWER))
    return python, {**variables, "PYTHONPATH": os.pathsep.join(map(str, folders))}


def _installed(python: Path, folder: Path, wanted: tuple[str, ...]) -> Path:
    """A folder of packages, made unless the same ones were installed into it before."""
    stamp, listed = folder / STAMP, "\n".join(wanted) + "\n"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != listed:
        names = [word for word in wanted if not word.startswith("-")]
        print(f"installing {names[0]} into {folder.name} ...", file=sys.stderr)
        stamp.unlink(missing_ok=True)
        pip = (str(python), "-m", "pip", "install", "--quiet", "--upgrade")
        command = (*pip, "--target", str(folder), *wanted)
        result = subprocess.run(command, stdout=sys.stderr, check=False)
        if result.returncode:
            raise BenchError(f"exit code {result.returncode} from {' '.join(command)}")
        # Written last: an installation that stopped half-way is done again.
        stamp.write_text(listed, encoding="utf-8")
    return folder
