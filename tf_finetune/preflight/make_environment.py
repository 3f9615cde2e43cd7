"""Makes the environment of the TPU compiler.

python -m tf_finetune.preflight.make_environment
"""

import subprocess
import sys
import venv
from pathlib import Path

from tf_finetune.errors import UserError
from tf_finetune.preflight.environment import (
    REQUIREMENTS,
    STAMP,
    compiler_folder,
    compiler_python,
    find_compiler,
    stamp_text,
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
    pip = [
        str(compiler_python(folder)),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    done = subprocess.run([*pip, *REQUIREMENTS], stdout=sys.stderr, check=False)
    if done.returncode:
        raise UserError(
            f"could not install {' '.join(REQUIREMENTS)} into {folder}",
            hint="libtpu is published for Linux x86-64 only; packages come from pip's index.",
        )
    # Written last: an installation that stopped half-way is done again.
    stamp.write_text(stamp_text(), encoding="utf-8")
    return folder


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
