"""Chromium, driven over its DevTools protocol: what a page asks for, and what it shows."""

import asyncio
import base64
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import websockets

FLAGS = (
    "--headless",
    "--no-sandbox",  # it runs as root in containers, and opens nothing but our own file
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
MESSAGE_LIMIT_BYTES = 64 * 2**20
START_SECONDS = 60.0


class Page:
    """One tab. `requests` are the addresses that it asked for, `problems` what its console complains of."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.requests: list[str] = []
        self.problems: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._loaded = asyncio.Event()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        async for text in self._socket:
            self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        match message:
            case {"id": number}:
                self._answers.pop(number).set_result(message)
            case {"method": "Network.requestWillBeSent", "params": params}:
                self.requests.append(params["request"]["url"])
            case {"method": "Page.loadEventFired"}:
                self._loaded.set()
            case {"method": "Log.entryAdded", "params": params}:
                self.problems.append(params["entry"]["text"])
            case {"method": "Runtime.exceptionThrown", "params": params}:
                self.problems.append(str(params["exceptionDetails"]))

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        message = await asyncio.wait_for(answer, START_SECONDS)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    async def open(self, file: Path) -> None:
        for domain in ("Network", "Page", "Log", "Runtime"):
            await self.ask(f"{domain}.enable")
        await self.ask("Page.navigate", url=file.resolve().as_uri())
        await asyncio.wait_for(self._loaded.wait(), START_SECONDS)

    async def value(self, expression: str) -> Any:
        found = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    async def screenshot(self, file: Path) -> None:
        found = await self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(found["data"]))


@asynccontextmanager
async def open_page(program: str, folder: Path) -> AsyncIterator[Page]:
    process = await asyncio.create_subprocess_exec(
        program,
        *FLAGS,
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            url = await _find_tab(folder / "DevToolsActivePort")
        async with websockets.connect(url, max_size=MESSAGE_LIMIT_BYTES) as socket:
            page = Page(socket)
            listening = asyncio.create_task(page.listen(), name="devtools")
            try:
                yield page
            finally:
                listening.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await listening
    finally:
        process.terminate()
        await process.wait()


async def _find_tab(file: Path) -> str:
    """The address of its first tab, when it has one."""
    while not (file.is_file() and file.read_text().count("\n")):
        await asyncio.sleep(0.05)
    port, path = file.read_text().split("\n")[:2]
    async with websockets.connect(f"ws://127.0.0.1:{port}{path}") as socket:
        while True:
            await socket.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
            targets = json.loads(await socket.recv())["result"]["targetInfos"]
            for target in targets:
                if target["type"] == "page":
                    return f"ws://127.0.0.1:{port}/devtools/page/{target['targetId']}"
            await asyncio.sleep(0.05)
