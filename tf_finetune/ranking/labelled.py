"""Texts that are labelled already, and are not asked about again."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.ranking.pool import text_key
from tf_finetune.sources.reading import read_records, read_texts
from tf_finetune.sources.records import Record

_OWN = ("train", "validation", "test")


def labelled_keys(data: DataConfig, files: Sequence[str], *, without: str) -> frozenset[bytes]:
    """The keys of all labelled texts, 16 bytes each in memory.

    Args:
        data: The run's section; its own examples are labelled.
        files: Sources of further ones, read like the texts to rank.
        without: How to do without the run's own, for messages.

    Raises:
        UserError: A source cannot be read; all of them are told at once.
    """
    keys: set[bytes] = set()
    problems: list[str] = []
    hint = None
    for split in _OWN:
        source = getattr(data, split)
        if source is None:
            continue
        try:
            records = read_records(data, source, split=split, labelled=False)
            keys.update(map(text_key, records))
        except UserError as error:
            problems += [f"data.{split}: the run's own examples: {p}" for p in error.problems]
            hint = f"Texts that are labelled are left out. {without}"
    for file in files:
        try:
            keys.update(map(text_key, read_texts(data, file)))
        except UserError as error:
            problems += [f"--labelled: {problem}" for problem in error.problems]
    if problems:
        raise UserError(problems, hint=hint)
    return frozenset(keys)


def unlabelled(records: Iterable[Record], keys: Collection[bytes]) -> Iterator[Record]:
    """The texts whose keys are not among those."""
    return (record for record in records if text_key(record) not in keys)


def different_texts(records: Iterable[Record], most: int) -> tuple[int, int]:
    """How many records there are, and how many different texts, of which `most` are counted."""
    keys: set[bytes] = set()
    count = 0
    for count, record in enumerate(records, start=1):  # noqa: B007
        if len(keys) < most:
            keys.add(text_key(record))
    return count, len(keys)
