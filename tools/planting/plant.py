"""Plants faults, one at a time, and says whether the tests near each of them notice.

A fault is a line of the code replaced by one that is wrong (R. A. DeMillo, R. J. Lipton and F. G.
Sayward, "Hints on Test Data Selection", Computer 1978). It is planted in a copy of the clone;
the tests that are named beside it have to pass there without it, and to fail with it. A fault
whose line has moved or changed is told too: the list has to follow the code.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
FAULTS = Path(__file__).with_name("faults.yaml")
_SECONDS = 600.0


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: What it does to a user.
        file: The file it is planted in, from the root of the clone.
        right: What stands there, once.
        wrong: What replaces it.
        tests: The tests that should notice, as pytest takes them, separated by spaces.
    """

    name: str
    file: str
    right: str
    wrong: str
    tests: str

    def planted(self, content: str) -> str:
        """The content of its file with the fault.

        Raises:
            ValueError: What it replaces does not stand there exactly once.
        """
        count = content.count(self.right)
        if count != 1:
            raise ValueError(f"what it replaces stands {count} times in {self.file}")
        return content.replace(self.right, self.wrong)


def main(argv: Sequence[str]) -> int:
    """Plants and tests; 0 if all were noticed, 1 if one was not or could not be planted."""
    parser = argparse.ArgumentParser(prog="tools/plant", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="faults whose name holds one")
    parser.add_argument("--list", action="store_true", help="only show the faults")
    arguments = parser.parse_args(argv)
    faults = [
        fault
        for fault in read_faults(FAULTS)
        if not arguments.words or any(word in fault.name for word in arguments.words)
    ]
    if arguments.list:
        for fault in faults:
            print(f"{fault.name} ({fault.file})")
        return 0
    with tempfile.TemporaryDirectory(prefix="plant-") as folder:
        copy = copy_of_clone(Path(folder) / "clone")
        passing = [tests for tests in {f.tests for f in faults} if run_tests(copy, tests) == 0]
        outcomes = [_tell(fault, plant(fault, copy, passing)) for fault in faults]
    noticed = sum(outcome == "noticed" for outcome in outcomes)
    print(f"{len(outcomes)} faults, {noticed} noticed")
    return 0 if noticed == len(outcomes) > 0 else 1


def read_faults(path: Path) -> list[Fault]:
    """The faults of a list, each with all of its fields."""
    return [Fault(**entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8"))]


def copy_of_clone(folder: Path) -> Path:
    """Copies the files that git tracks, or would, into a new folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def plant(fault: Fault, clone: Path, passing: Sequence[str]) -> str:
    """Plants one fault, runs its tests, and takes it out again.

    Args:
        fault: The fault.
        clone: The copy to plant it in.
        passing: The `tests` of all faults that pass there without any.

    Returns:
        "noticed", "NOT NOTICED", or why it could not be tried.
    """
    file = clone / fault.file
    content = file.read_text(encoding="utf-8") if file.is_file() else ""
    try:
        planted = fault.planted(content)
    except ValueError as error:
        return str(error)
    if fault.tests not in passing:
        return "its tests do not pass without it"
    file.write_text(planted, encoding="utf-8")
    try:
        return "noticed" if run_tests(clone, fault.tests) else "NOT NOTICED"
    finally:
        file.write_text(content, encoding="utf-8")


def run_tests(clone: Path, tests: str) -> int:
    """Runs tests up to the first that fails; 0 if all passed, 1 also where they take too long."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    try:
        ended = subprocess.run(
            [*command, *tests.split()],
            cwd=clone,
            # A file that is changed twice in a second must not be taken from compiled code.
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1
    return ended.returncode


def _tell(fault: Fault, outcome: str) -> str:
    print(f"{time.strftime('%H:%M:%S')} {outcome}: {fault.name} ({fault.file})", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
