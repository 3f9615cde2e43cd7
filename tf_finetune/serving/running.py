"""Runs the server until a signal ends it."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import uvicorn
from fastapi import FastAPI

from tf_finetune.errors import UserError
from tf_finetune.serving.service import Service
from tf_finetune.serving.slow_heads import protocol_with_head_limit

_MOST_CONNECTIONS = 1024
_BACKLOG = 1024
_DRAIN_SECONDS = 1.0
_GRACE_SECONDS = 60

_log = logging.getLogger("tf_finetune.serving")


def run_server(
    app: FastAPI, service: Service, host: str, port: int, on_ready: Callable[[int], None]
) -> None:
    """Answers requests until SIGTERM or SIGINT, then finishes those it has accepted.

    SIGHUP loads the model anew. A second SIGINT does not wait.

    Args:
        app: What `build_app` made.
        service: What is behind it.
        host: Where to listen.
        port: Where to listen; 0 takes a free one.
        on_ready: Told the port, before the first request is answered.

    Raises:
        UserError: The address is taken or not of this machine.
    """
    with _bound(host, port) as listening:
        on_ready(listening.getsockname()[1])
        asyncio.run(_serve(app, service, listening))


async def _serve(app: FastAPI, service: Service, listening: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        server_header=False,
        http=protocol_with_head_limit(service.limits.body_seconds),
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config, service)
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[bool]] = set()

    def reload() -> None:
        task = loop.create_task(service.reload())
        tasks.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(tasks.discard)

    with _handled(loop, {signal.SIGHUP: reload}):
        await server.serve(sockets=[listening])


class _Server(uvicorn.Server):
    """Ends normally on a signal; uvicorn would raise it once more at the end."""

    def __init__(self, config: uvicorn.Config, service: Service):
        super().__init__(config)
        self._service = service

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Turns SIGINT and SIGTERM into a graceful end."""
        loop = asyncio.get_running_loop()

        def end(number: signal.Signals) -> None:
            _log.info("%s: finishing what was accepted", number.name)
            self._service.ending = True
            # What was sent before the signal may still be on its way through the system.
            loop.call_later(_DRAIN_SECONDS, self.handle_exit, number, None)

        handlers = {number: partial(end, number) for number in (signal.SIGINT, signal.SIGTERM)}
        with _handled(loop, handlers):
            yield


@contextlib.contextmanager
def _handled(
    loop: asyncio.AbstractEventLoop, handlers: Mapping[signal.Signals, Callable[[], None]]
) -> Iterator[None]:
    previous = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number, before in previous.items():
            loop.remove_signal_handler(number)
            signal.signal(number, before)


@contextlib.contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UserError(f"--host: {host}: {error.strerror or error}") from None
    with listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(address)
            listening.listen(_BACKLOG)  # who comes before the loop runs waits, and is answered
        except OSError as error:
            raise UserError(f"--host, --port: {host}:{port}: {error.strerror}") from None
        yield listening
