"""Holds every file of a run against the checksums that were written with it.

Example:
    python -m trainers.verify runs/reviews-depth4
"""

from collections.abc import Sequence
from pathlib import Path

from tf_finetune.errors import UserError
from trainers.arguments import parse_arguments
from trainers.cli import run_command


def main(argv: Sequence[str]) -> int:
    """Names every file that is damaged, changed or missing; returns the exit code."""
    arguments = parse_arguments("verify", argv)

    from tf_finetune.verification import verify_run

    found = verify_run(Path(arguments.run).expanduser())
    if found.problems:
        raise UserError(
            found.problems,
            hint="Restore them from a copy, or make them again with run.overwrite=true.",
        )
    print(f"ok: {found.files:,} files are as they were written")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
