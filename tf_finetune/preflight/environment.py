"""The environment of the TPU compiler: jax and libtpu, apart from TensorFlow.

It is `.venv-preflight` in the current folder, or what `TF_FINETUNE_PREFLIGHT` names.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tf_finetune.errors import UserError

FOLDER_VARIABLE = "TF_FINETUNE_PREFLIGHT"
DEFAULT_FOLDER = ".venv-preflight"
# The first pair that was checked; memory and times change with the compiler.
REQUIREMENTS = ("jax==0.10.2", "jaxlib==0.10.2", "libtpu==0.0.52")
STAMP = "preflight-requirements.txt"
MAKING = f"{Path(sys.executable).name} -m tf_finetune.preflight.make_environment"


@dataclass(frozen=True)
class Compiler:
    """An installed TPU compiler.

    Attributes:
        python: The interpreter of its environment.
        versions: The packages that decide what it answers.
    """

    python: Path
    versions: tuple[str, ...] = REQUIREMENTS

    def run(
        self, script: str, *words: str | Path, seconds: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a script that imports nothing of this project, and takes what it prints.

        Args:
            script: Its file.
            words: What it is given.
            seconds: How long it may take; None: as long as it takes.

        Raises:
            subprocess.TimeoutExpired: It took longer.
        """
        return subprocess.run(
            [str(word) for word in (self.python, "-I", script, *words)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )


def last_lines(done: subprocess.CompletedProcess[str]) -> str:
    """What a process said at its end, for messages."""
    return "\n".join(done.stderr.strip().splitlines()[-5:])


def compiler_folder() -> Path:
    """Where the environment is, or would be."""
    return Path(os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER).expanduser().absolute()


def find_compiler() -> Compiler:
    """The compiler's environment.

    Raises:
        UserError: There is none, or one of other versions, with the command that makes it.
    """
    folder = compiler_folder()
    python, stamp = compiler_python(folder), folder / STAMP
    if not python.exists() or not stamp.exists():
        found = "there is no environment with the TPU compiler"
    elif stamp.read_text(encoding="utf-8") != stamp_text():
        found = "the environment has other versions of the TPU compiler"
    else:
        return Compiler(python)
    raise UserError(
        f"preflight: {found} in {folder}",
        hint=f"Make it (about 1 GB): {MAKING}\nIn a clone, tools/preflight does so by itself.",
    )


def stamp_text() -> str:
    """What the stamp of an environment with the right versions says."""
    return "\n".join(REQUIREMENTS) + "\n"


def compiler_python(folder: Path) -> Path:
    """The interpreter of the environment in a folder."""
    return folder / "bin" / "python"
