"""Checks that the installation can train on this machine, and says what to mend.

Example:
    python -m trainers.doctor
"""

from collections.abc import Sequence

from rich.console import Console

from tf_finetune.diagnosis import diagnose
from trainers.arguments import parse_arguments
from trainers.cli import EXIT_USER_ERROR, run_command

_STYLES = {"ok": "green", "warning": "yellow", "error": "bold red"}


def main(argv: Sequence[str]) -> int:
    """Prints one line a finding; exit code 2 if something will not work."""
    parse_arguments("doctor", argv)
    console = Console()
    errors = 0
    for finding in diagnose():
        errors += finding.level == "error"
        console.print(f"{finding.level:8}", style=_STYLES[finding.level], end="", highlight=False)
        console.print(f"{finding.subject}: {finding.message}", highlight=False, markup=False)
        if finding.remedy:
            console.print(f"        -> {finding.remedy}", highlight=False, markup=False)
    console.print("all is well" if not errors else f"{errors} thing(s) to mend", highlight=False)
    return EXIT_USER_ERROR if errors else 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
