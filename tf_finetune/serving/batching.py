"""Requests that come together are computed together.

There is no timer: while the model is at work, requests collect, and the next turn takes what
is there. So a lone request never waits for company, and under load batches fill by themselves.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from tf_finetune.sources.records import Record

Answer = TypeVar("Answer")


class OverloadedError(Exception):
    """More texts wait than the server accepts, or it is shutting down."""


@dataclass(frozen=True)
class _Waiting(Generic[Answer]):
    records: Sequence[Record]
    answer: asyncio.Future[list[Answer]]


class MicroBatcher(Generic[Answer]):
    """Gathers texts of concurrent requests for one thread that holds the model.

    Args:
        predict: Answers some texts in their order; runs in a thread, one call at a time.
        max_batch: Texts a call; a request with more gets a call of its own.
        max_waiting: Texts accepted and not answered yet.
        on_batch: Told the number of texts of each call.
    """

    def __init__(
        self,
        predict: Callable[[list[Record]], list[Answer]],
        *,
        max_batch: int,
        max_waiting: int,
        on_batch: Callable[[int], None] = lambda texts: None,
    ):
        self._predict = predict
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._on_batch = on_batch
        self._queue: deque[_Waiting[Answer]] = deque()
        self._accepted = 0
        self._arrived = asyncio.Event()
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting_texts(self) -> int:
        """Texts that are accepted and not answered yet."""
        return self._accepted

    def start(self) -> None:
        """Begins to work; needs a running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def submit(self, records: Sequence[Record]) -> list[Answer]:
        """Answers the texts of a request, in their order.

        Raises:
            OverloadedError: Too many texts wait already, or the server is shutting down.
        """
        if self._closed or self._accepted + len(records) > self._max_waiting:
            raise OverloadedError
        waiting = _Waiting(records, asyncio.get_running_loop().create_future())
        self._accepted += len(records)
        self._queue.append(waiting)
        self._arrived.set()
        try:
            return await waiting.answer
        finally:
            self._accepted -= len(records)

    async def close(self) -> None:
        """Answers what was accepted, then stops."""
        self._closed = True
        self._arrived.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            batch = self._next_batch()
            if not batch:
                if self._closed:
                    return
                self._arrived.clear()
                continue
            records = [record for waiting in batch for record in waiting.records]
            try:
                self._on_batch(len(records))
                answers = await loop.run_in_executor(self._thread, self._predict, records)
            except Exception as error:  # the requests get it; the server stays up
                for waiting in batch:
                    _settle(waiting.answer.set_exception, error)
                continue
            start = 0
            for waiting in batch:
                end = start + len(waiting.records)
                _settle(waiting.answer.set_result, answers[start:end])
                start = end

    def _next_batch(self) -> list[_Waiting[Answer]]:
        batch: list[_Waiting[Answer]] = []
        texts = 0
        while self._queue and (not batch or texts + len(self._queue[0].records) <= self._max_batch):
            waiting = self._queue.popleft()
            if waiting.answer.cancelled():
                continue
            batch.append(waiting)
            texts += len(waiting.records)
        return batch


def _settle(method: Callable[..., None], value: object) -> None:
    """Sets a future that its client may have given up in the meantime."""
    with contextlib.suppress(asyncio.InvalidStateError):
        method(value)
