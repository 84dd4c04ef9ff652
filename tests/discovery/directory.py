"""A small directory of Thing Descriptions, written from WoT Discovery section 6.2.2."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from thing_descriptions.validator import validate_td

DEADLINE_SECONDS = 20.0


class Directory:
    """Keeps what is put, until its `ttl` is over or it is deleted; `failures` come first."""

    def __init__(self, *failures: int) -> None:
        self.requests: list[tuple[str, str, int]] = []
        self.origin = ""
        self._failures = list(failures)
        self._entries: dict[str, tuple[dict[str, Any], float]] = {}
        self._changed = asyncio.Condition()

    def entries(self) -> dict[str, dict[str, Any]]:
        now = time.monotonic()
        return {key: td for key, (td, expires) in self._entries.items() if expires > now}

    async def until(self, *ids: str) -> None:
        """Wait until these entries are there, and no others."""
        async with asyncio.timeout(DEADLINE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: self.entries().keys() == set(ids))

    async def until_requests(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: len(self.requests) >= count)

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["Directory"]:
        application = web.Application()
        application.router.add_route("*", "/directory/things/{id}", self._answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    @property
    def url(self) -> str:
        return f"{self.origin}/directory/"

    async def _answer(self, request: web.Request) -> web.Response:
        thing_id = request.match_info["id"]
        failed = self._failures.pop(0) if self._failures else None
        status = failed or await self._do(request, thing_id)
        self.requests.append((request.method, thing_id, status))
        async with self._changed:
            self._changed.notify_all()
        return web.Response(status=status)

    async def _do(self, request: web.Request, thing_id: str) -> int:
        is_known = thing_id in self.entries()
        if request.method == "DELETE":
            self._entries.pop(thing_id, None)
            return 204 if is_known else 404
        td = json.loads(await request.read())
        is_good = request.content_type == "application/td+json" and td["id"] == thing_id
        if request.method != "PUT" or not is_good or validate_td(td):
            return 400
        self._entries[thing_id] = (td, time.monotonic() + td["registration"]["ttl"])
        return 204 if is_known else 201
