"""A connection whose request does not come is closed, over a real socket."""

import asyncio

import uvicorn
from uvicorn.server import ServerState

from tf_finetune.serving.slow_heads import protocol_with_head_limit

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def answers_to(*pieces, seconds=0.2):
    """What comes back for pieces that are sent half a second apart, until the server closes."""

    async def app(scope, receive, send):
        await asyncio.sleep(2 * seconds)  # an answer may take longer than a head
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def talk():
        config = uvicorn.Config(app, log_config=None, timeout_keep_alive=60)
        config.load()
        state, make = ServerState(), protocol_with_head_limit(seconds)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: make(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0.5)
            found = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            return found.count(b"204 No Content")

    return asyncio.run(talk())


def test_connection_without_a_request_is_closed():
    assert answers_to(b"") == 0


def test_half_a_head_is_not_waited_for():
    assert answers_to(REQUEST[:20]) == 0


def test_request_is_answered_however_long_that_takes_and_the_next_head_is_limited_again():
    assert answers_to(REQUEST, REQUEST, REQUEST[:20]) == 2
