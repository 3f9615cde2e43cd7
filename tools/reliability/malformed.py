"""Reads files as users have them: each gives an error that says where, or the right records.

Hundreds of files are read as a job reads them, down to the token store. No other exception
than `UserError` may come out, its message has to name the file and what the case asks for
(row, column, option), and has to be printable on a terminal.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.reading import read_records
from tools.reliability.malformed_cases import Case, cases
from tools.reliability.options import harness_options


def main(argv: Sequence[str]) -> int:
    """Reads all cases and prints what went wrong; 0 if nothing did."""
    parser = harness_options("malformed", __doc__)
    arguments = parser.parse_args(argv)
    began, tries, faults, slowest = time.monotonic(), 0, 0, 0.0
    for number, case in enumerate(cases()):
        folder = arguments.folder / str(number)
        folder.mkdir()
        start = time.monotonic()
        problem = try_case(case, folder)
        slowest = max(slowest, time.monotonic() - start)
        tries += 1
        if problem:
            faults += 1
            print(f"  {case.name} ({case.file}): {problem}")
        (folder / case.file).unlink()
    seconds = time.monotonic() - began
    print(f"{tries} files, {faults} faults, {seconds:.0f} s, slowest {slowest:.1f} s")
    return 1 if faults else 0


def try_case(case: Case, folder: Path) -> str:
    """Reads one file; gives what is wrong with the outcome, or ""."""
    path = folder / case.file
    path.write_bytes(case.content)
    try:
        found = read_file(str(path), case.options)
    except UserError as error:
        return _fault_of_message(case, str(error), str(path))
    except Exception as error:
        return f"raised {type(error).__name__}: {str(error)[:200]}"
    if isinstance(case.expected, tuple):
        return f"no error, but {found[:4]!r:.300}"
    return "" if found == case.expected else f"read {found!r:.300}"


def read_file(source: str, options: dict[str, Any]) -> list[tuple[str, Any]]:
    """All records of a file, as a job reads them: (text, label)."""
    config = resolve_columns(DataConfig.model_validate({"train": source, **options}))
    return [(record.text, record.label) for record in read_records(config, source)]


def _fault_of_message(case: Case, message: str, path: str) -> str:
    if isinstance(case.expected, list):
        return f"refused: {message[:300]}"
    wanted = [*case.expected] if "data." in "".join(case.expected) else [path, *case.expected]
    missing = [part for part in wanted if part.lower() not in message.lower()]
    if missing:
        return f"does not say {missing}: {message[:300]}"
    unprintable = [c for c in message if not c.isprintable() and c not in "\n\t"]
    if unprintable:
        return f"holds {unprintable[:5]!r}: {message[:300]!r}"
    return f"says {len(message):,} characters" if len(message) > 10_000 else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
