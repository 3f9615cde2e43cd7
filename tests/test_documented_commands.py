"""Every command that the README and the docs show is one that its own parser takes."""

import re
import shlex
from pathlib import Path

import pytest

from trainers.arguments import load_arguments, parse_arguments

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"(?:python -m trainers\.|tf-finetune )([a-z]+)\b(.*)", re.DOTALL)
SHELL = frozenset(("|", "<", ">", ";", "&", "&&", "||", ">>", "(", ")"))


def shown_commands(text):
    """The code of a page that runs a command: lines of blocks, and what stands in backticks."""
    for block, inline in re.findall(r"^```\w*\n(.*?)^```|`([^`\n]+)`", text, re.DOTALL | re.M):
        # What continues a line belongs to it, in a shell and in YAML's folded scripts.
        for line in re.sub(r"\\\n\s*", " ", block).splitlines() or [inline]:
            found = COMMAND.search(line)
            # A name in backticks alone is no command line.
            if found and (block or found[2].strip()):
                yield found[1], words_of(found[2])


def words_of(line):
    """What a shell gives the program; variables stand for numbers."""
    lexer = shlex.shlex(re.sub(r"\$\w+", "1", line), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if word in SHELL:
            break
        words.append(word)
    return words


SHOWN = [
    pytest.param(verb, words, id=f"{page.name}-{verb} {' '.join(words)}"[:80])
    for page in PAGES
    for verb, words in shown_commands(page.read_text(encoding="utf-8"))
]


def test_commands_are_found():
    assert len(SHOWN) >= 50
    assert {"train", "search", "predict", "serve", "export", "verify"} <= {
        shown.values[0] for shown in SHOWN
    }


@pytest.mark.parametrize(("verb", "words"), SHOWN)
def test_shown_command_is_one_that_its_parser_takes(verb, words):
    arguments = parse_arguments(verb, words)

    if getattr(arguments, "config", None):  # a file of the reader's, which names the examples
        arguments.config = None
        arguments.overrides.append("data.train=reviews.csv")
    load_arguments(arguments)
