"""A client that sends its body too slowly."""

import asyncio
import json

from tf_finetune.serving.guard import RequestGuard
from tf_finetune.serving.limits import Limits

POST = {
    "type": "http",
    "method": "POST",
    "path": "/predict",
    "headers": [(b"content-type", b"application/json")],
}


def ask(receive, limits):
    """Send a request to a guard in front of nothing; give what is sent back and reported."""
    sent, finished = [], []

    async def app(scope, receive, send):
        raise AssertionError("nothing may come through")

    async def send(message):
        sent.append(message)

    guard = RequestGuard(app, limits, None, lambda *arguments: finished.append(arguments))
    asyncio.run(guard(POST, receive, send))
    return sent, finished


def test_slow_body_is_not_waited_for():
    async def receive():
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    sent, finished = ask(receive, Limits(body_seconds=1, max_body_bytes=10))
    assert sent[0]["status"] == 413

    sent, finished = ask(receive, Limits(body_seconds=1))
    assert sent[0]["status"] == 408 and (b"connection", b"close") in sent[0]["headers"]
    assert "within 1 s" in json.loads(sent[1]["body"])["detail"]
    assert finished[0][:3] == ("POST", "/predict", 408)


def test_client_that_goes_away_is_let_go():
    async def receive():
        return {"type": "http.disconnect"}

    assert ask(receive, Limits())[1][0][2] == 400


def test_bodies_that_take_too_much_memory_together_are_refused(monkeypatch):
    monkeypatch.setattr("tf_finetune.serving.guard._MOST_HELD_BYTES", 10)
    statuses = []

    async def app(scope, receive, send):
        if scope["path"] == "/predict" and len(statuses) == 0:
            statuses.append(await one_more())  # while this one is being answered
        await send({"type": "http.response.start", "status": 200, "headers": []})

    guard = RequestGuard(app, Limits(max_body_bytes=10), None, lambda *arguments: None)

    async def one_more():
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"x" * 8, "more_body": False}

        async def send(message):
            sent.append(message)

        await guard(POST, receive, send)
        assert sent[0]["status"] == 200 or (b"retry-after", b"1") in sent[0]["headers"]
        return sent[0]["status"]

    async def one_inside_another_and_one_after():
        return [await one_more(), await one_more()]

    assert asyncio.run(one_inside_another_and_one_after()) == [200, 200]
    assert statuses == [503]
