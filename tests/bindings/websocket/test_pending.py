"""Those who connect and never shake hands."""

import asyncio
import contextlib

from websockets.exceptions import WebSocketException

from tests.bindings.websocket.serving import PATIENCE_SECONDS, WEB_THING, serving


async def test_they_are_limited_and_make_room_when_they_go() -> None:
    async with serving(pending_limit=3) as served, contextlib.AsyncExitStack() as stack:
        for _ in range(5):  # who has shaken hands is not one of them
            await stack.enter_async_context(served.connected(WEB_THING))
        silent = [await asyncio.open_connection("127.0.0.1", served.binding.port) for _ in range(3)]
        reader, writer = await asyncio.open_connection("127.0.0.1", served.binding.port)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await reader.read() == b""
        writer.close()
        for _, each in silent:
            each.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with contextlib.suppress(OSError, EOFError, WebSocketException):
                    async with served.connected(WEB_THING):
                        break
                await asyncio.sleep(0.02)
