"""Cuts a stream that may be slow into lists, so that nobody waits for an answer to the next text.

A thread reads ahead while the model answers. It may be left waiting for input when the command
ends, so it is a daemon.
"""

import threading
from collections.abc import Iterable, Iterator

from tf_finetune.data.chunks import CHUNK_CHARACTERS
from tf_finetune.sources.records import Record

_PATIENCE_SECONDS = 0.1


def live_chunks(
    records: Iterable[Record], rows: int, patience_seconds: float = _PATIENCE_SECONDS
) -> Iterator[list[Record]]:
    """Cuts a stream into lists as it comes; reading begins with the call.

    Args:
        records: The stream. What it raises is raised here, after what came before it.
        rows: Records in a list at most; of long ones fewer, as in `in_chunks`.
        patience_seconds: A list ends this long after its first record at the latest.

    Returns:
        The lists, in the order of the stream. Where it is cut depends on the time.
    """
    waiting = _Waiting(rows)
    threading.Thread(target=waiting.fill, args=(records,), daemon=True).start()
    return waiting.taken(patience_seconds)


class _Waiting:
    """The records that were read and not yet taken, at most one list."""

    def __init__(self, rows: int):
        self._rows = rows
        self._changed = threading.Condition()
        self._records: list[Record] = []
        self._characters = 0
        self._ended = False
        self._error: BaseException | None = None

    def fill(self, records: Iterable[Record]) -> None:
        """Reads to the end; runs in a thread of its own."""
        try:
            for record in records:
                self._put(record)
        except BaseException as error:  # raised where the lists are taken
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def taken(self, patience_seconds: float) -> Iterator[list[Record]]:
        """Gives what is there as soon as something is; ends with the stream."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._records or self._ended)
                self._changed.wait_for(lambda: self._full or self._ended, patience_seconds)
                chunk, self._records, self._characters = self._records, [], 0
                self._changed.notify_all()
            if chunk:
                yield chunk
            elif self._error is not None:
                raise self._error
            else:
                return

    @property
    def _full(self) -> bool:
        return len(self._records) >= self._rows or self._characters >= CHUNK_CHARACTERS

    def _put(self, record: Record) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._full)
            self._records.append(record)
            self._characters += len(record.text) + len(record.text_pair or "")
            if len(self._records) == 1 or self._full:
                self._changed.notify_all()
