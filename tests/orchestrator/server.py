"""The orchestrator's own HTTP server: module files, registration of devices, logs."""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.orchestrator.modules import Module, describe
from tests.orchestrator.shapes import check_log, check_registration

Registered = Callable[[dict[str, Any]], Awaitable[None]]


class Server:
    """`logs` and `registrations` are what devices have sent; a malformed one answers 400."""

    def __init__(self, registered: Registered) -> None:
        self.origin = ""
        self.modules: dict[str, Module] = {}
        self.logs: list[dict[str, Any]] = []
        self.registrations: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.fetched: list[str] = []
        self._registered = registered

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve on a free port of loopback for as long as the block runs; gives the origin."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/file/module/{module}/{file}", self._file),
                web.post("/file/device/discovery/register", self._register),
                web.post("/device/logs", self._log),
            ]
        )
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self.origin
        finally:
            await runner.cleanup()

    async def _file(self, request: web.Request) -> web.Response:
        module = self.modules.get(request.match_info["module"])
        if module is None:
            raise web.HTTPNotFound
        self.fetched.append(request.path)
        match request.match_info["file"]:
            case "wasm":
                return web.Response(body=module.wasm, content_type="application/wasm")
            case "description":
                return web.json_response(describe(module))
            case name if name in module.files:
                return web.Response(body=module.files[name])
        raise web.HTTPNotFound

    async def _register(self, request: web.Request) -> web.Response:
        document = await request.json()
        try:
            check_registration(document)
        except (AssertionError, KeyError, TypeError) as error:
            self.refused.append(f"registration: {error!r}")
            raise web.HTTPBadRequest from error
        self.registrations.append(document)
        await self._registered(document)
        return web.Response(status=204)

    async def _log(self, request: web.Request) -> web.Response:
        form = await request.post()
        try:
            record = json.loads(str(form["logData"]))
            check_log(record)
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            self.refused.append(f"log: {error!r}")
            raise web.HTTPBadRequest from error
        self.logs.append(record)
        return web.json_response({"message": "Log received and saved"}, status=201)
