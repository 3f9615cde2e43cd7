"""The PyTorch environment, with one major version of transformers or another.

PyTorch and transformers 4 are those of the benchmarks. Transformers 5 lies beside them in a
folder of its own that Python looks into first, because PyTorch is large and the same for both.
"""

import os
import subprocess
import sys
from pathlib import Path

from tools.benchmarks.torch_environment import BenchError, ensure_torch_environment

NEWER_FOLDER = ".venv-transformers5"
NEWER = ("transformers==5.23.0", "numpy<2.4")
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
    if major == "4":
        return python, variables
    folder = root / NEWER_FOLDER
    stamp, wanted = folder / STAMP, "\n".join(NEWER) + "\n"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"installing {NEWER[0]} into {NEWER_FOLDER} ...", file=sys.stderr)
        stamp.unlink(missing_ok=True)
        pip = (str(python), "-m", "pip", "install", "--quiet", "--upgrade")
        command = (*pip, "--target", str(folder), *NEWER)
        result = subprocess.run(command, stdout=sys.stderr, check=False)
        if result.returncode:
            raise BenchError(f"exit code {result.returncode} from {' '.join(command)}")
        # Written last: an installation that stopped half-way is done again.
        stamp.write_text(wanted, encoding="utf-8")
    return python, {**variables, "PYTHONPATH": str(folder)}
