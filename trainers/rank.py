"""Says which unlabelled texts to label next, as CSV with the reason of each.

Example:
    python -m trainers.rank runs/reviews-depth4 unlabelled.csv --count 100 --output next.csv
    python -m trainers.rank runs/reviews-depth4 unlabelled.csv --by coverage --balanced
    python -m trainers.rank runs/reviews-depth4 unlabelled.csv --labelled next.csv --output more.csv
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from tf_finetune.errors import UserError, visible
from trainers.arguments import parse_arguments, whole_number
from trainers.cli import run_command
from trainers.streams import as_encoded
from trainers.trained_run import open_trained_run

if TYPE_CHECKING:
    from tf_finetune.options.data import DataConfig
    from tf_finetune.ranking.ranked_text import RankedText
    from tf_finetune.ranking.request import Request
    from tf_finetune.sources.records import Record

_WITHOUT = (
    "data.train=null does without those of data.train; --labelled FILE reads them from elsewhere."
)


def main(argv: Sequence[str]) -> int:
    """Ranks texts; returns the exit code."""
    arguments = parse_arguments("rank", argv)

    from tf_finetune.prediction.bar import shown_progress
    from tf_finetune.prediction.delimited import DELIMITERS
    from tf_finetune.prediction.resumable import check_output
    from tf_finetune.ranking.labelled import labelled_keys, unlabelled
    from tf_finetune.ranking.request import check_request, too_few

    opened = open_trained_run(arguments)
    config = opened.config
    request = check_request(
        opened.labels,
        whole_number("--count", arguments.count, positive=True),
        arguments.by,
        balanced=arguments.balanced,
        seed=config.training.seed,
    )
    target = None
    if arguments.output is not None:
        target = check_output(arguments.output, tuple(DELIMITERS))
    known = labelled_keys(config.data, arguments.labelled, without=_WITHOUT)
    given = _Given(arguments, config.data)
    total = given.check(known, request)

    from tf_finetune.jobs.rank import rank

    with shown_progress(Console(stderr=True), total, doing="ranking") as show:
        ranked = rank(
            opened.load,
            unlabelled(given.read(), known),
            request,
            batch_size=config.evaluation.batch_size,
            on_progress=show,
        )
    if len(ranked) < request.count:  # of a pipe, which is read once
        raise too_few("--count", request.count, len(ranked), given.name)
    _write(ranked, config.data, target)
    return 0


class _Given:
    """The texts that the command names: a source, which is read twice, or standard input."""

    def __init__(self, arguments: argparse.Namespace, data: "DataConfig"):
        self._data = data
        self._source: str | TextIO = arguments.file
        if arguments.file == "-":
            as_encoded(sys.stdin, data.encoding)
            self._source = sys.stdin

    @property
    def name(self) -> str:
        return self._source if isinstance(self._source, str) else "standard input"

    def read(self, notes: list[str] | None = None) -> Iterator["Record"]:
        from tf_finetune.sources.reading import read_texts

        return read_texts(self._data, self._source, notes=notes)

    def check(self, known: frozenset[bytes], request: "Request") -> int | None:
        """Reads every row, so that what is wrong is told before any work is done.

        Returns:
            How many texts are to be answered; None of standard input.
        """
        from tf_finetune.ranking.labelled import different_texts, unlabelled
        from tf_finetune.ranking.request import too_few

        if not isinstance(self._source, str):
            return None
        notes: list[str] = []
        total, different = different_texts(unlabelled(self.read(notes), known), request.count)
        for note in notes:
            print(visible(f"! {self.name}: {note}"), file=sys.stderr)
        if different < request.count:
            raise too_few("--count", request.count, different, self.name)
        return total


def _write(ranked: "list[RankedText]", data: "DataConfig", target: Path | None) -> None:
    from tf_finetune.prediction.delimited import DELIMITERS
    from tf_finetune.ranking.ranked_file import ranked_content, write_ranked
    from tf_finetune.storage.files import write_atomically

    if target is None:
        as_encoded(sys.stdout, "utf-8")
        write_ranked(sys.stdout, ranked, data, ",")
        return
    content, formulas = ranked_content(ranked, data, DELIMITERS[target.suffix.lower()])
    try:
        write_atomically(target, content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"--output: {target} cannot be written: {reason}") from None
    print(visible(f"{target}: {len(ranked):,} texts to label"), file=sys.stderr)
    if formulas:
        print(
            f"! texts or answers that begin with = + - or @: {formulas:,} rows; a spreadsheet may "
            "run them as formulas, so import these columns as text",
            file=sys.stderr,
        )


if __name__ == "__main__":
    raise SystemExit(run_command(main))
