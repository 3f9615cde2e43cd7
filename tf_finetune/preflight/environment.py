"""The environment of the TPU compiler: jax and libtpu, apart from TensorFlow.

python -m tf_finetune.preflight.environment     makes it

It is `.venv-preflight` in the current folder, or what `TF_FINETUNE_PREFLIGHT` names.
"""

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from tf_finetune.errors import UserError

FOLDER_VARIABLE = "TF_FINETUNE_PREFLIGHT"
DEFAULT_FOLDER = ".venv-preflight"
# The first pair that was checked; memory and times change with the compiler.
REQUIREMENTS = ("jax==0.10.2", "jaxlib==0.10.2", "libtpu==0.0.52")
STAMP = "preflight-requirements.txt"
MAKING = f"{Path(sys.executable).name} -m tf_finetune.preflight.environment"


@dataclass(frozen=True)
class Compiler:
    """An installed TPU compiler.

    Attributes:
        python: The interpreter of its environment.
        versions: The packages that decide what it answers.
    """

    python: Path
    versions: tuple[str, ...] = REQUIREMENTS


def compiler_folder() -> Path:
    """Where the environment is, or would be."""
    return Path(os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER).expanduser().absolute()


def find_compiler() -> Compiler:
    """The compiler's environment.

    Raises:
        UserError: There is none, or one of other versions, with the command that makes it.
    """
    folder = compiler_folder()
    python, stamp = _python(folder), folder / STAMP
    if not python.exists() or not stamp.exists():
        found = "there is no environment with the TPU compiler"
    elif stamp.read_text(encoding="utf-8") != _wanted():
        found = "the environment has other versions of the TPU compiler"
    else:
        return Compiler(python)
    raise UserError(
        f"preflight: {found} in {folder}",
        hint=f"Make it (about 1 GB): {MAKING}\nIn a clone, tools/preflight does so by itself.",
    )


def make_environment() -> Path:
    """Makes the environment, unless it is there; returns its folder.

    Raises:
        UserError: The installation failed.
    """
    folder = compiler_folder()
    try:
        find_compiler()
        return folder
    except UserError:
        print(f"installing the TPU compiler into {folder} ...", file=sys.stderr)
    venv.create(folder, with_pip=True)
    stamp = folder / STAMP
    stamp.unlink(missing_ok=True)
    pip = [str(_python(folder)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *REQUIREMENTS], stdout=sys.stderr, check=False)
    if done.returncode:
        raise UserError(
            f"could not install {' '.join(REQUIREMENTS)} into {folder}",
            hint="libtpu is published for Linux x86-64 only; packages come from pip's index.",
        )
    # Written last: an installation that stopped half-way is done again.
    stamp.write_text(_wanted(), encoding="utf-8")
    return folder


def _wanted() -> str:
    return "\n".join(REQUIREMENTS) + "\n"


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def main() -> int:
    """Makes the environment; returns the exit code."""
    try:
        make_environment()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
