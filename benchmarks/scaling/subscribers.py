"""Many who observe one property by server-sent events: until when has the last of them heard?"""

import asyncio
import contextlib
import json
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from benchmarks.peers.deploying import ask, deploy, fibonacci_manifest, serving
from benchmarks.peers.servient import Servient, servient

CHANGES = 20
PATIENCE_SECONDS = 60.0
PATH = "/things/fibonacci-1:fibonacci/properties/fibo_result/observe"


def measure(counts: tuple[int, ...]) -> dict[str, Any]:
    """Milliseconds from an invocation until the last has its result, and CPU for each of them."""
    with serving() as origin, servient() as asked:
        deploy(asked.http, fibonacci_manifest(origin))
        return {str(count): asyncio.run(_observe(asked, count)) for count in counts}


async def _observe(asked: Servient, count: int) -> dict[str, float]:
    async with contextlib.AsyncExitStack() as stack:
        heard: asyncio.Queue[int] = asyncio.Queue()
        for _ in range(count):
            await stack.enter_async_context(_subscribed(asked.http, heard))
        await asyncio.sleep(0.5)
        while not heard.empty():  # the value that was there
            heard.get_nowait()
        spent, cpu = [], asked.process.cpu_seconds
        for number in range(CHANGES):
            began = time.perf_counter()
            url = f"{asked.http}/things/fibonacci-1:fibonacci/actions/fibo"
            await asyncio.to_thread(ask, url, {"iterations": 5 + number % 2})
            async with asyncio.timeout(PATIENCE_SECONDS):
                for _ in range(count):
                    await heard.get()
            spent.append((time.perf_counter() - began) * 1e3)
        cpu = asked.process.cpu_seconds - cpu
    deliveries = count * CHANGES
    return {"last_heard_ms": statistics.median(spent), "cpu_us_each": cpu / deliveries * 1e6}


@contextlib.asynccontextmanager
async def _subscribed(origin: str, heard: asyncio.Queue[int]) -> AsyncIterator[None]:
    url = urlsplit(origin)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")

    async def listen() -> None:
        async for line in reader:
            if line.startswith(b"data:"):
                heard.put_nowait(json.loads(line[5:]))

    task = asyncio.create_task(listen(), name="subscriber")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        writer.close()
