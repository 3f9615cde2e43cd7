"""The command `tf-finetune VERB …`, and the one way in which every command ends."""

import difflib
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import metadata

from tf_finetune.errors import UserError
from tf_finetune.invocation import PROGRAM, program
from tf_finetune.machine import interruption
from tf_finetune.machine.interruption import Interrupted
from trainers.arguments import parse_arguments
from trainers.commands import COMMANDS

EXIT_OUR_FAULT = 1
EXIT_USER_ERROR = 2
EXIT_BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command named by the first argument and returns the exit code."""
    return run_command(_run_verb, argv)


def run_command(
    command: Callable[[list[str]], int | None], argv: Sequence[str] | None = None
) -> int:
    """Runs a command's `main` and turns how it ended into an exit code.

    Args:
        command: Takes the arguments; returns an exit code, or None for success.
        argv: The arguments; by default those of this process.

    Returns:
        0: done. 2: the user can mend it (said on stderr, without a traceback). 130 or 143:
        interrupted by Ctrl-C or SIGTERM. 141: nobody reads our output any more. 1: a run that
        failed (said on stderr, see `RunFailedError`), or our fault, with a traceback.
    """
    try:
        with interruption.raised():
            code = _exit_code(command, list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except UserError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as stop:
        signalled = stop if isinstance(stop, Interrupted) else Interrupted(signal.SIGINT)
        print(f"{PROGRAM}: interrupted by {signalled}", file=sys.stderr)
        return signalled.exit_code
    except BrokenPipeError:
        # Else Python flushes once more as it ends, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except Exception:
        traceback.print_exc()
        print(
            f"{PROGRAM}: this is a fault of {PROGRAM} and not of your input; please report it "
            "with the lines above",
            file=sys.stderr,
        )
        return EXIT_OUR_FAULT


def _exit_code(command: Callable[[list[str]], int | None], argv: list[str]) -> int:
    try:
        return command(argv) or 0
    except SystemExit as stop:  # argparse, after --help
        return stop.code if isinstance(stop.code, int) else 0


def _run_verb(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview(), file=sys.stdout if argv else sys.stderr)
        return 0 if argv else EXIT_USER_ERROR
    verb, *rest = argv
    if verb == "--version":
        print(f"{PROGRAM} {_version()}")
        return 0
    if verb not in COMMANDS:
        nearest = difflib.get_close_matches(verb, COMMANDS, n=1)
        advice = f"nearest: {nearest[0]}; " if nearest else ""
        raise UserError(
            f"{verb}: unknown command; {advice}accepted: {', '.join(COMMANDS)}",
            hint=f"{program()} --help says what each does",
        )
    # Before the import, so that --help and mistyped flags answer without TensorFlow.
    parse_arguments(verb, rest)
    code: int = importlib.import_module(f"trainers.{verb}").main(rest)
    return code


def _overview() -> str:
    width = max(map(len, COMMANDS))
    verbs = [f"  {verb:{width}}  {command.summary}" for verb, command in COMMANDS.items()]
    return "\n".join(
        [
            f"usage: {program()} COMMAND ...",
            "",
            "Fine-tunes pretrained text encoders and finds out how deep to do it.",
            "",
            "commands:",
            *verbs,
            "",
            f"{program()} COMMAND --help explains one; {program()} --version says which this is.",
        ]
    )


def _version() -> str:
    try:
        return metadata.version(PROGRAM)
    except metadata.PackageNotFoundError:
        return "(not installed: running from a clone)"


if __name__ == "__main__":
    raise SystemExit(main())
