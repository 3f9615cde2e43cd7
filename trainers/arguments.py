"""The command line of every command: `VERB [FILE] [--flags] [section.name=value ...]`."""

import argparse
import difflib
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.config.loading import load_config
from tf_finetune.config.nearest import nearest_options
from tf_finetune.config.seal import check_seal
from tf_finetune.errors import UserError
from tf_finetune.invocation import PROGRAM, command_line
from trainers.commands import COMMANDS, Command
from trainers.misplaced import check_examples_argument
from trainers.option_help import option_lines

_OVERRIDE = re.compile(r"[A-Za-z_][\w-]*\.[\w.-]+=")
_BARE_OVERRIDE = re.compile(r"[A-Za-z_][\w-]*=")


def parse_arguments(verb: str, argv: Sequence[str]) -> argparse.Namespace:
    """Parses what follows a verb.

    Options may stand anywhere. `name.name=value` is always an option; `name=value` is one (a
    mistaken one) unless there is a file of that name. After `--` nothing is an option or flag.

    Args:
        verb: A key of `COMMANDS`.
        argv: The arguments after the verb.

    Returns:
        `verb`, `overrides` (list of `section.name=value`) and one attribute an argument of the
        command, lower-case: `file`, `run`, `config`, `output`, `force`.

    Raises:
        UserError: If arguments are unknown, missing or too many.
        SystemExit: After --help.
    """
    command = COMMANDS[verb]
    words, overrides = _split_overrides(argv, command)
    parser = build_parser(verb)
    arguments, unknown = parser.parse_known_intermixed_args(words)
    if command.uses is None:
        unknown += overrides
    if unknown:
        # The value of an unknown flag looks like one file too many: only the flag is wrong.
        wrong = [word for word in unknown if word.startswith("-")] or unknown
        usage = parser.format_usage().strip()
        raise UserError([_unknown_argument(word, command) for word in wrong], hint=usage)
    arguments.verb = verb
    arguments.overrides = overrides
    return arguments


def load_arguments(
    arguments: argparse.Namespace, base: Mapping[str, Mapping[str, Any]] | None = None
) -> ExperimentConfig:
    """Loads the configuration that parsed arguments describe; see `load_config`."""
    command = COMMANDS[arguments.verb]
    overrides = list(arguments.overrides)
    reads_as_told = any(override.startswith("data.format=") for override in overrides)
    if getattr(arguments, "file", None) is not None and not reads_as_told:
        check_examples_argument(arguments.file, takes_config=hasattr(arguments, "config"))
    if command.file_option and arguments.file is not None:
        overrides.append(f"{command.file_option}={_literal(arguments.file)}")
    config = getattr(arguments, "config", None)
    changed = config and check_seal(config)
    if changed:
        # Not an error: to copy the file of a run and change it is what it is for.
        print(f"{PROGRAM}: note: {changed}", file=sys.stderr)
    unused = _unused_options(arguments)
    if unused and not command.takes_a_run:
        # The words are those of the training that is looked at.
        print(f"{PROGRAM}: note: {'; '.join(unused)}", file=sys.stderr)
        unused = []
    try:
        loaded = load_config(config, overrides, base=base, required=command.required)
    except UserError as error:
        raise UserError([*unused, *error.problems], hint=error.hint) from None
    if unused:
        taken = ", ".join(command.uses.names()) if command.uses else "none"
        raise UserError(unused, hint=f"{arguments.verb} takes {taken}")
    return loaded


def _unused_options(arguments: argparse.Namespace) -> list[str]:
    """What to say of each option on the command line that the command does not use."""
    uses = COMMANDS[arguments.verb].uses
    if uses is None or uses.checks_others:
        return []
    has_file = getattr(arguments, "file", None) is not None
    given = [override.partition("=")[0].strip() for override in arguments.overrides]
    return [
        f"{name}: {arguments.verb} does not use it{_users_of(name, arguments.verb, file=has_file)}"
        for name in dict.fromkeys(uses.unused(given, file=has_file))
    ]


def _users_of(name: str, verb: str, *, file: bool) -> str:
    """Where an option would be used: by this command with or without a FILE, else by others."""
    uses = COMMANDS[verb].uses
    if uses is not None and name in uses.names():
        return " with a FILE" if file else " without a FILE"
    users = [other for other in ("train", "search") if name in _names(COMMANDS[other])]
    return f"; {' and '.join(users)} " + ("do" if len(users) > 1 else "does") if users else ""


def _names(command: Command) -> tuple[str, ...]:
    return () if command.uses is None else command.uses.names()


def whole_number(flag: str, text: str, *, positive: bool = False) -> int:
    """The value of a flag that takes a number.

    Raises:
        UserError: It is none, or 0 where it has to be positive.
    """
    if not (text.strip().isascii() and text.strip().isdecimal()) or (positive and int(text) < 1):
        accepted = "a whole number of at least 1" if positive else "a whole number"
        raise UserError(f"{flag}: received {text!r}; accepted: {accepted}")
    return int(text)


def build_parser(verb: str) -> argparse.ArgumentParser:
    """Builds the parser of a verb's flags and positional arguments."""
    command = COMMANDS[verb]
    prog = command_line(verb)
    parser = _Parser(command, prog=prog, usage=_usage(prog, command), allow_abbrev=False)
    for argument in command.positionals:
        nargs = None if argument.required else "?"
        parser.add_argument(
            argument.name.lower(), metavar=argument.name, nargs=nargs, help=argument.meaning
        )
    for flag in command.flags:
        if flag.value is None:
            parser.add_argument(flag.name, action="store_true", help=flag.meaning)
            continue
        default = f" (default {flag.default})" if flag.default else ""
        help_text = flag.meaning + default
        parser.add_argument(
            flag.name,
            metavar=flag.value,
            default=[] if flag.repeated else flag.default,
            action="append" if flag.repeated else "store",
            help=help_text,
        )
    return parser


def _usage(prog: str, command: Command) -> str:
    words = [prog]
    for argument in command.positionals:
        words.append(argument.name if argument.required else f"[{argument.name}]")
    for flag in command.flags:
        value, more = f" {flag.value}" if flag.value else "", " ..." if flag.repeated else ""
        words.append(f"[{flag.name}{value}{more}]")
    if command.uses is not None:
        words.append("[section.name=value ...]")
    return " ".join(words)


class _Parser(argparse.ArgumentParser):
    """Reports mistakes as `UserError` and ends its help with examples and every option."""

    def __init__(self, command: Command, **kwargs: Any):
        description = f"{command.summary[0].upper()}{command.summary[1:]}."
        super().__init__(description=description, **kwargs)
        self._command = command

    def error(self, message: str) -> NoReturn:
        raise UserError(message, hint=self.format_usage().strip())

    def format_help(self) -> str:
        width = max(40, min(100, shutil.get_terminal_size().columns - 2))
        lines = [super().format_help().rstrip(), *self._example_lines()]
        if self._command.uses is not None:
            lines += ["", *option_lines(self._command, width)]
        return "\n".join(lines) + "\n"

    def _example_lines(self) -> Iterator[str]:
        if not self._command.examples:
            return
        yield "\nexamples:"
        for arguments, effect in self._command.examples:
            yield f"  {self.prog} {arguments}"
            yield f"      {effect}"


def _split_overrides(argv: Iterable[str], command: Command) -> tuple[list[str], list[str]]:
    """Separates `section.name=value` from what argparse parses."""
    taking_values = {flag.name for flag in command.flags if flag.value}
    words: list[str] = []
    overrides: list[str] = []
    remaining = iter(argv)
    for word in remaining:
        if word == "--":
            words += [word, *remaining]
        elif word in taking_values:
            words += [word, *(value for value in [next(remaining, None)] if value is not None)]
        elif _OVERRIDE.match(word) or (_BARE_OVERRIDE.match(word) and not os.path.exists(word)):
            overrides.append(word)
        else:
            words.append(word)
    return words, overrides


def _literal(path: str) -> str:
    """A file's name as the value of an override, where null and "quoted" would mean more."""
    means_more = path in ("null", "Null", "NULL", "~") or path.startswith(("'", '"'))
    return f"./{path}" if means_more else path


def _unknown_argument(word: str, command: Command) -> str:
    if not word.startswith("-"):
        takes_texts = any(flag.name == "--text" for flag in command.flags)
        quotes = "; a text of several words stands in quotes" * takes_texts
        return f"{word}: unexpected argument{quotes}"
    name = word.split("=", 1)[0]
    flags = [flag.name for flag in command.flags] + ["--help"]
    nearest = difflib.get_close_matches(name, flags, n=1)
    options = [one for one in nearest_options(name.lstrip("-")) if one in _names(command)]
    if nearest:
        return f"{name}: unknown flag; nearest: {nearest[0]}"
    if options:
        return f"{name}: unknown flag; options have no dashes: {' or '.join(options)}=VALUE"
    return f"{name}: unknown flag; accepted: {', '.join(flags)}"
