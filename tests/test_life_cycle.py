"""How the program ends, and what it tells those who look after it."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from tests.files import FileServer

PATIENCE_SECONDS = 30.0
UNIT = Path(__file__).parent.parent / "packaging/wasm-servient.service"


@dataclass(frozen=True)
class Running:
    process: asyncio.subprocess.Process
    http: httpx.AsyncClient

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.process.wait()

    async def until(self, path: str, status: int) -> httpx.Response:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (answer := await self.http.get(path)).status_code != status:
                await asyncio.sleep(0.02)
        return answer


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., contextlib.AbstractAsyncContextManager[Running]]:
    @asynccontextmanager
    async def start(**settings: str) -> AsyncIterator[Running]:
        free = ("--port", "0", "--coap-port", "0", "--mqtt-port", "0", "--websocket-port", "0")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "servient", "run", "--json", *free),
            *("--instance-path", str(tmp_path / "instance")),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **settings},
        )
        try:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
            origin = json.loads(line)["http"]
            async with httpx.AsyncClient(base_url=origin, timeout=PATIENCE_SECONDS) as http:
                yield Running(process, http)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return start


Run = Callable[..., contextlib.AbstractAsyncContextManager[Running]]
FOREVER, SPIN = "/things/e:endless/actions/forever", "/things/e:endless/actions/spin"


async def deploy(running: Running, files: FileServer) -> None:
    manifest = files.manifest("endless/manifest.json", deploymentId="e")
    assert (await running.http.post("/deploy", json=manifest)).status_code == 200


async def test_what_runs_is_finished_and_nothing_more_begun(run: Run, files: FileServer) -> None:
    async with run() as running:
        await deploy(running, files)
        assert (await running.http.get("/health/ready")).json() == {"status": "ready"}
        work = asyncio.create_task(running.http.post(SPIN, json={"millions": 1500}))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (await running.http.get("/things/e:endless/actions")).json()["spin"]:
                await asyncio.sleep(0.01)
        running.stop()
        await running.until("/health/ready", 503)
        assert (await running.http.get("/health/live")).status_code == 200
        refused = await running.http.post(SPIN, json={"millions": 1})
        assert (refused.status_code, refused.json()["detail"]) == (503, "the servient is stopping")
        assert (await work).status_code == 200
        assert await running.ended() == 0


async def test_what_does_not_end_is_cancelled_and_its_record_says_so(
    run: Run, files: FileServer
) -> None:
    async with run(
        WASM_SERVIENT_DRAIN_SECONDS="0.2", WASM_SERVIENT_MODULE_TIMEOUT_SECONDS="60"
    ) as running:
        await deploy(running, files)
        begun = await running.http.post(FOREVER, headers={"Prefer": "respond-async"})
        assert begun.status_code == 201
        running.stop()
        assert await running.ended() == 0
    async with run() as running:
        status = (await running.http.get(begun.headers["Location"])).json()
        assert status["status"] == "failed"
        assert status["error"]["detail"], status


async def test_a_second_signal_ends_it_at_once_with_all_that_it_started(
    run: Run, files: FileServer
) -> None:
    slow = {"WASM_SERVIENT_DRAIN_SECONDS": "600", "WASM_SERVIENT_MODULE_TIMEOUT_SECONDS": "600"}
    async with run(**slow) as running:
        await deploy(running, files)
        await running.http.post(FOREVER, headers={"Prefer": "respond-async"})
        children = psutil.Process(running.process.pid).children(recursive=True)
        running.stop()
        await running.until("/health/ready", 503)
        running.stop()
        assert await running.ended() == 128 + signal.SIGTERM
        _, alive = psutil.wait_procs(children, timeout=PATIENCE_SECONDS)
        assert not alive
    async with run() as running:  # what was acknowledged is there
        assert (await running.http.get("/things/e:endless")).status_code == 200


async def test_the_service_manager_is_told(run: Run, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_SECONDS)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        async with run(**told) as running:
            assert manager.recv(100) == b"READY=1"
            for _ in range(3):
                assert await asyncio.to_thread(manager.recv, 100) == b"WATCHDOG=1"
            # A loop that does not turn does not say that it does.
            running.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.1)
            manager.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while manager.recv(100):
                    pass
            await asyncio.sleep(0.5)
            with pytest.raises(BlockingIOError):
                manager.recv(100)
            manager.settimeout(PATIENCE_SECONDS)
            running.process.send_signal(signal.SIGCONT)
            running.stop()
            while (message := await asyncio.to_thread(manager.recv, 100)) == b"WATCHDOG=1":
                pass
            assert message == b"STOPPING=1"
            assert await running.ended() == 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
def test_the_unit_is_understood_and_confined(tmp_path: Path) -> None:
    text = UNIT.read_text().replace(
        "/opt/wasm-servient/bin/wasm-servient", shutil.which("true") or ""
    )
    (tmp_path / UNIT.name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / UNIT.name)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert UNIT.name not in verified.stderr, verified.stderr
