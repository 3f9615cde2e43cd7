"""A slow stream is cut where it pauses, a fast one where lists are full."""

import queue
import threading

import pytest

from tf_finetune.data import chunks as chunks_module
from tf_finetune.data.chunks import in_chunks
from tf_finetune.prediction import live
from tf_finetune.prediction.live import live_chunks
from tf_finetune.sources.records import Record

LONG = 60.0  # seconds; a test that waits for this hangs


def record(row, text="a"):
    return Record(row, text, None, None)


def rows_of(chunks):
    return [[one.row for one in chunk] for chunk in chunks]


class Slow:
    """A stream that gives what it is told to; `None` ends it."""

    def __init__(self):
        self.told = queue.Queue()

    def __iter__(self):
        return iter(self.told.get, None)


def test_record_is_given_while_the_next_one_has_not_come():
    slow = Slow()
    chunks = live_chunks(slow, 3, patience_seconds=0)

    for row in (1, 2):
        slow.told.put(record(row))
        assert next(chunks) == [record(row)]
    slow.told.put(None)

    assert list(chunks) == []


def test_records_that_come_together_are_answered_together():
    assert rows_of(live_chunks(map(record, range(1, 8)), 3, LONG)) == [[1, 2, 3], [4, 5, 6], [7]]


def test_long_texts_end_a_list_as_they_do_elsewhere(monkeypatch):
    for module in (live, chunks_module):
        monkeypatch.setattr(module, "CHUNK_CHARACTERS", 10)
    stream = [record(row, "x" * length) for row, length in enumerate((9, 1, 1, 50, 1, 1), start=1)]

    assert rows_of(live_chunks(stream, 4, LONG)) == rows_of(in_chunks(stream, 4))


def test_steady_stream_does_not_put_off_the_answer_for_ever():
    pause = threading.Event()

    def steady():
        for row in range(1, 20_000):
            yield record(row)
            pause.wait(0.005)

    assert len(next(live_chunks(steady(), 10_000, patience_seconds=0.02))) < 10_000
    pause.set()


def test_what_came_before_an_error_is_given_first():
    def broken():
        yield record(1)
        raise ValueError("row 2 is bad")

    chunks = live_chunks(broken(), 3, LONG)

    assert next(chunks) == [record(1)]
    with pytest.raises(ValueError, match="row 2 is bad"):
        next(chunks)


def test_no_more_than_one_list_is_read_ahead():
    read = []
    full = threading.Event()

    def stream():
        for row in range(1, 100):
            read.append(row)
            if row == 4:
                full.set()
            yield record(row)

    chunks = live_chunks(stream(), 3, LONG)

    assert full.wait(LONG)
    assert len(read) == 4  # the fourth waits until the first three are taken
    assert rows_of([next(chunks)]) == [[1, 2, 3]]
