"""Connections whose request line and headers do not come are closed.

uvicorn limits how long a connection may be idle after an answer, but not how long the head of a
request may take, and nothing above it sees a request before its head is complete.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol


def protocol_with_head_limit(seconds: float) -> type[asyncio.Protocol]:
    """Uvicorn's HTTP protocol, with a limit to how long the head of a request may take.

    Args:
        seconds: From the connection, or the first byte after an answer, to the end of the head.
    """

    class HeadLimitedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **kwargs: Any):
            super().__init__(*args, **kwargs)
            self._head_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._watch_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_watching()
            super().connection_lost(exc)

        def _watch_head(self) -> None:
            if self.cycle is not None and not self.cycle.response_complete:
                self._stop_watching()  # the head is complete
            elif self._head_timer is None:
                self._head_timer = self.loop.call_later(seconds, self.transport.close)

        def _stop_watching(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

    return HeadLimitedProtocol
