"""The part of --help that explains a command's options."""

import textwrap
from collections.abc import Iterator

from tf_finetune.config.describe import Option, list_sections
from tf_finetune.invocation import command_line
from trainers.commands import Command

_JOB = (
    "options, each shown with its default (in a --config file they are grouped in sections; "
    "quote values with spaces or brackets for the shell):"
)
_OF_A_RUN = (
    "options; one that is not given is as in config.yaml of the run (shown: what a run has by "
    "default; quote values with spaces or brackets for the shell):"
)


def option_lines(command: Command, width: int) -> Iterator[str]:
    """Every option that a command uses, by section, with default, meaning and range."""
    uses = command.uses
    if uses is None:
        return
    used = uses.names()
    yield from textwrap.wrap(_OF_A_RUN if command.takes_a_run else _JOB, width)
    for section in list_sections():
        options = [option for option in section.options if option.name in used]
        if options:
            yield f"\n{section.name}: {section.description}"
        for option in options:
            yield from _lines_of(option, width)
    if uses.checks_others:
        others = [
            section.name
            for section in list_sections()
            if any(option.name not in used for option in section.options)
        ]
        yield ""
        yield from textwrap.wrap(
            f"The values of all other options ({', '.join(others)}) are checked too; "
            f"`{command_line('train')} --help` and `{command_line('search')} --help` explain them.",
            width,
        )


def _lines_of(option: Option, width: int) -> Iterator[str]:
    yield f"  {option.name}={option.default}"
    yield from _wrap_meaning(option, width, indent=6)
    for part in option.parts:
        default = "" if part.default is None else f": {part.default}"
        yield f"        {part.name}{default}"
        yield from _wrap_meaning(part, width, indent=10)


def _wrap_meaning(option: Option, width: int, indent: int) -> list[str]:
    text = f"{option.description} ({option.accepted})"
    margin = " " * indent
    return textwrap.wrap(text, width, initial_indent=margin, subsequent_indent=margin)
