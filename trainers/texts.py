"""The texts that `predict` and `explain` are given: a file, standard input, or in the command."""

import argparse
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.recognising import is_there, names_a_source
from trainers.streams import as_encoded

if TYPE_CHECKING:
    from tf_finetune.sources.records import Record

_FLAGS = ("--text", "--text-pair")


@dataclass(frozen=True)
class GivenTexts:
    """Where texts come from; one of the two is not None.

    Attributes:
        source: A file or another source of `read_texts`, or standard input.
        records: What stands in the command itself.
        config: How a source is read.
    """

    source: str | TextIO | None
    records: list["Record"] | None
    config: DataConfig

    @property
    def piped(self) -> bool:
        """Whether they come from standard input, which can be read only once."""
        return self.source is not None and not isinstance(self.source, str)

    @property
    def name(self) -> str:
        """What to call them in messages."""
        if self.source is None:
            return _FLAGS[0]
        return self.source if isinstance(self.source, str) else "standard input"

    def read(self, notes: list[str] | None = None) -> Iterator["Record"]:
        """Streams them.

        Args:
            notes: Gets sentences about what was skipped or recognised, as for `read_texts`.
        """
        from tf_finetune.sources.reading import read_texts

        if self.source is None:
            return iter(self.records or ())
        try:
            return read_texts(self.config, self.source, notes=notes)
        except UserError as error:
            if isinstance(self.source, str) and not is_there(self.source):
                hint = f"If it is meant as a text: {_FLAGS[0]} {shlex.quote(self.source)}"
                raise UserError(error.problems, hint=hint) from None
            raise


def given_texts(arguments: argparse.Namespace, config: DataConfig) -> GivenTexts:
    """Finds out which texts a command is given; nothing is read yet.

    Args:
        arguments: `file`, `text` and `text_pair`. The first is a text if it names no source.
        config: Options of the data section.

    Raises:
        UserError: There are none, or too many kinds of them, or one in the command is bad.
    """
    from tf_finetune.sources.reading import check_texts

    word, texts, seconds = arguments.file, list(arguments.text), arguments.text_pair
    if word is not None and not texts and word != "-" and not names_a_source(word):
        word, texts = None, [word]
    pairs = config.text_pair_column is not None
    if texts or seconds:
        _check_given(word, len(texts), len(seconds), pairs=pairs)
        return GivenTexts(None, check_texts(texts, seconds, _FLAGS, task=config.task), config)
    if word is None:
        raise UserError(
            f"nothing to {arguments.verb}; accepted: a text in quotes, FILE, - for standard input, "
            "or --text TEXT"
        )
    if word == "-":
        as_encoded(sys.stdin, config.encoding)
        return GivenTexts(sys.stdin, None, config)
    return GivenTexts(word, None, config)


def _check_given(word: str | None, texts: int, seconds: int, *, pairs: bool) -> None:
    """Holds the texts of a command against each other and the model."""
    problems = []
    if word is not None:
        flag = _FLAGS[0] if texts else _FLAGS[1]
        problems.append(f"{word}: received beside {flag}; accepted: one of the two")
    if pairs and texts != seconds:
        problems.append(
            f"--text-pair: received {seconds} beside {texts} of --text; accepted: as many, because "
            "this model reads pairs"
        )
    if not pairs and seconds:
        problems.append("--text-pair: received, but this model reads single texts")
    if problems:
        raise UserError(problems)
