"""A stream of records is cut by number and by length, so that memory stays flat."""

import pytest

from tf_finetune.data import chunks
from tf_finetune.data.chunks import in_chunks
from tf_finetune.sources.records import Record


def records(*lengths, pair=None):
    return (Record(n, "x" * length, pair, None) for n, length in enumerate(lengths, start=1))


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ((), []),
        ((1, 1, 1, 1, 1, 1, 1), [[1, 2, 3], [4, 5, 6], [7]]),
        ((1, 1, 1), [[1, 2, 3]]),
        ((9, 1, 1, 50, 1, 10, 1), [[1, 2], [3, 4], [5, 6], [7]]),
    ],
)
def test_chunk_ends_with_its_number_of_records_or_of_characters(monkeypatch, lengths, expected):
    monkeypatch.setattr(chunks, "CHUNK_CHARACTERS", 10)

    found = [[record.row for record in chunk] for chunk in in_chunks(records(*lengths), 3)]

    assert found == expected


def test_second_texts_count_too(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_CHARACTERS", 10)

    found = [len(chunk) for chunk in in_chunks(records(1, 1, 1, pair="y" * 5), 3)]

    assert found == [2, 1]


def test_no_more_is_read_than_the_chunk_holds(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_CHARACTERS", 10)
    stream = records(10, 10, 10)

    next(in_chunks(stream, 3))

    assert next(stream).row == 2
