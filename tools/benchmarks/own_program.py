"""Starts programs of this folder, which measure in a process of their own."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tools.benchmarks.program_run import json_lines
from tools.benchmarks.suite_inputs import find_own_python

Option = str | int | Path | Sequence[str | int]


def own_program(root: Path, program: str, **options: Option) -> Iterator[dict[str, Any]]:
    """Runs a program with the project's interpreter and gives each JSON object that it prints.

    Args:
        root: Top folder of the clone.
        program: Name of its module in this folder.
        options: Its flags, `model_dir` for --model-dir; a sequence is a flag of several values.

    Raises:
        BenchError: If it fails, after what it had printed.
    """
    return json_lines(program_command(find_own_python(root), program, **options), root)


def program_command(python: Path, program: str, **options: Option) -> list[str]:
    """The command that starts a program of this folder.

    Args:
        python: Interpreter that has what the program imports.
        program: Name of its module in this folder.
        options: Its flags, `model_dir` for --model-dir; a sequence is a flag of several values.
    """
    command = [str(python), "-m", f"tools.benchmarks.{program}"]
    for name, value in options.items():
        values = [value] if isinstance(value, str | int | Path) else value
        command += [_flag(name), *map(str, values)]
    return command


def own_options(
    description: str | None,
    *,
    words: Sequence[str] = (),
    numbers: Sequence[str] = (),
    several: Sequence[str] = (),
) -> argparse.Namespace:
    """What a program was started with by `own_program`; every option has to be there.

    Args:
        description: Of the program.
        words: Names of options that are text, such as a path.
        numbers: Names of options that are a whole number.
        several: Names of options that are one or more whole numbers.
    """
    parser = argparse.ArgumentParser(description=description)
    for name in words:
        parser.add_argument(_flag(name), required=True)
    for name in numbers:
        parser.add_argument(_flag(name), type=int, required=True)
    for name in several:
        parser.add_argument(_flag(name), type=int, nargs="+", required=True)
    return parser.parse_args()


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
