"""What a request has to pass before any of it is parsed: token, type, size, pace."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tf_finetune.serving.limits import Limits

PROTECTED = ("/predict", "/metrics")
Finished = Callable[[str, str, int, float], None]

_MOST_HELD_BYTES = 64 * 2**20  # of all bodies together

_log = logging.getLogger("tf_finetune.serving")


class _Refusal(Exception):
    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None):
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


class RequestGuard:
    """ASGI middleware that refuses early and reports every answered request.

    Args:
        app: What answers.
        limits: Limits of the server.
        token: What a client must send as `Authorization: Bearer TOKEN`; None asks for none.
        on_finished: Gets method, path, status and seconds of each request.
        is_ending: Whether the server is about to end; answers then say that they are the last
            of their connection.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        token: str | None,
        on_finished: Finished,
        is_ending: Callable[[], bool] = lambda: False,
    ):
        self._app = app
        self._limits = limits
        self._digest = None if token is None else _digest(token.encode())
        self._on_finished = on_finished
        self._is_ending = is_ending
        self._held_bytes = 0
        self._most_held_bytes = max(_MOST_HELD_BYTES, limits.max_body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or passes it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        held = bytearray()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._is_ending():
                    closing = (b"connection", b"close")
                    message = {**message, "headers": [*message.get("headers", []), closing]}
            await send(message)

        try:
            self._check(scope)
            body = await self._read(receive, held) if scope["method"] == "POST" else b""
            await self._app(scope, _replay(body, receive), sending)
        except _Refusal as refusal:
            await _refuse(refusal, sending)
        except Exception:  # whatever it is, the server stays up and the client is answered
            _log.exception("a request failed")
            if not status:
                await _refuse(_Refusal(500, "a fault of the server; see its log"), sending)
        finally:
            self._held_bytes -= len(held)
            seconds = time.perf_counter() - started
            self._on_finished(scope["method"], scope["path"], status, seconds)

    def _check(self, scope: Scope) -> None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        if scope["path"] in PROTECTED:
            self._check_token(headers.get(b"authorization", b""))
        if scope["method"] != "POST" or scope["path"] != "/predict":
            return
        kind, _, rest = headers.get(b"content-type", b"").decode("latin-1").partition(";")
        charset = rest.replace(" ", "").lower()
        if kind.strip().lower() != "application/json" or charset not in (
            "",
            "charset=utf-8",
            'charset="utf-8"',
        ):
            raise _Refusal(415, "accepted: Content-Type: application/json, in UTF-8")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise _Refusal(415, "accepted: a body that is not compressed")
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._limits.max_body_bytes:
            raise self._too_large()

    def _check_token(self, header: bytes) -> None:
        if self._digest is None:
            return
        scheme, _, token = header.partition(b" ")
        # Digests of equal length, so that the time tells nothing of the token.
        right = hmac.compare_digest(_digest(token.strip()), self._digest)
        if scheme.lower() != b"bearer" or not right:
            raise _Refusal(
                401, "accepted: Authorization: Bearer TOKEN", {"www-authenticate": "Bearer"}
            )

    async def _read(self, receive: Receive, held: bytearray) -> bytes:
        try:
            await asyncio.wait_for(self._receive(receive, held), self._limits.body_seconds)
            return bytes(held)
        except asyncio.TimeoutError:
            raise _Refusal(
                408, f"the body did not come within {self._limits.body_seconds:g} s", _CLOSE
            ) from None

    async def _receive(self, receive: Receive, body: bytearray) -> None:
        """Reads a body; its bytes count as held until the request is answered."""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Refusal(400, "the client went away")
            chunk = message.get("body", b"")
            body += chunk
            self._held_bytes += len(chunk)
            more = message.get("more_body", False)
            if len(body) > self._limits.max_body_bytes:
                raise self._too_large()
            if self._held_bytes > self._most_held_bytes:
                raise _Refusal(
                    503, "too many bodies are being read; try again", {"retry-after": "1", **_CLOSE}
                )

    def _too_large(self) -> _Refusal:
        return _Refusal(413, f"accepted: at most {self._limits.max_body_bytes:,} bytes", _CLOSE)


_CLOSE = {"connection": "close"}  # the rest of the body is not worth waiting for


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, then what comes after it."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _refuse(refusal: _Refusal, send: Send) -> None:
    content = json.dumps({"detail": refusal.detail}).encode()
    headers: dict[str, Any] = {
        "content-type": "application/json",
        "content-length": str(len(content)),
        **refusal.headers,
    }
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": encoded})
    await send({"type": "http.response.body", "body": content})
