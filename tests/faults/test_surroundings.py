"""A clock that jumps, names that lead nowhere, a broker and an orchestrator that are away, no descriptors."""

import asyncio
import contextlib
import socket
import subprocess
from pathlib import Path

import httpx
import psutil
import pytest

from tests.consumers.mqtt import MqttConsumer
from tests.faults.running import PATIENCE_SECONDS, limit, servient
from tests.files import FileServer
from tests.tools import needs

DAY_SECONDS = 24 * 3600
CLOCK = Path(__file__).parent / "clock.c"


@pytest.mark.parametrize("days", [400, -400])
async def test_a_clock_that_jumps(days: int, tmp_path: Path, files: FileServer) -> None:
    """Deadlines and pauses are of another clock; of what is remembered, the age is of this one."""
    library, offset = tmp_path / "clock.so", tmp_path / "offset"
    command = [needs("clang"), "-shared", "-fPIC", "-o", str(library), str(CLOCK), "-ldl"]
    subprocess.run(command, check=True)
    offset.write_text("0")
    wrong = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)}
    async with servient(tmp_path, **wrong) as running:
        assert (await running.deploy(files)).is_success
        assert (await running.count()).json() == 1
        before = (await running.http.get("/health/live")).headers["Date"]
        offset.write_text(str(days * DAY_SECONDS))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await running.http.get("/health/live")).headers["Date"][12:16] == before[12:16]:
                await asyncio.sleep(0.1)
        assert [(await running.count()).json() for _ in range(5)] == [2, 3, 4, 5, 6]
        begun = await running.http.post("/things/c:counter/actions/increment")
        assert begun.json() == 7
        offset.write_text("0")
        assert (await running.count()).json() == 8
        assert (await running.deploy(files, "d")).is_success
        assert await running.stop() == 0
    async with servient(tmp_path) as running:
        found = await running.http.get("/things/c:counter/properties/increment_result")
        assert found.json() == 8
    assert "Traceback" not in (tmp_path / "log").read_text()


async def test_names_that_lead_nowhere(tmp_path: Path, files: FileServer) -> None:
    async with servient(tmp_path) as running:
        assert (await running.deploy(files)).is_success
        manifest = files.manifest("counter/manifest.json", deploymentId="d")
        manifest["modules"][0]["urls"]["binary"] = "http://nowhere.invalid/x.wasm"
        answer = await running.http.post("/deploy", json=manifest)
        assert answer.status_code == 400
        assert "nowhere.invalid has no address" in answer.json()["error"]
        assert (await running.count()).json() == 1


async def test_an_orchestrator_that_is_away(tmp_path: Path, files: FileServer) -> None:
    with socket.socket() as reserved:  # where nobody listens
        reserved.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        settings = {"WASM_SERVIENT_ORCHESTRATOR_URL": away}
        async with servient(tmp_path, **settings) as running:
            assert (await running.deploy(files)).is_success
            for number in range(1, 20):
                assert (await running.count()).json() == number
            assert await running.stop() == 0


async def test_a_broker_that_is_killed(tmp_path: Path, files: FileServer) -> None:
    needs("mosquitto")
    async with servient(tmp_path, bindings="http,mqtt") as running:
        assert (await running.deploy(files)).is_success
        td = (await running.http.get("/things/c:counter")).json()
        for number in (1, 3, 5):
            consumer = MqttConsumer(td)
            assert await consumer.invoke("increment") == number
            await consumer.close()
            (broker,) = [
                each
                for each in psutil.Process(running.pid).children()
                if each.name() == "mosquitto" and each.status() != psutil.STATUS_ZOMBIE
            ]
            broker.kill()
            # Nobody else waits for it.
            assert (await running.count()).json() == number + 1
            await _comes_back(td)


async def _comes_back(td: dict[str, object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            consumer = MqttConsumer(td)
            try:
                async with asyncio.timeout(2):
                    await consumer.read("increment_result")
                return
            except (OSError, TimeoutError):
                await asyncio.sleep(0.1)
            finally:
                with contextlib.suppress(OSError, TimeoutError):
                    await consumer.close()


async def test_no_descriptors_left(tmp_path: Path, files: FileServer) -> None:
    async with servient(tmp_path) as running:
        assert (await running.deploy(files)).is_success
        assert (await running.count()).json() == 1
        used = psutil.Process(running.pid).num_fds()
        earlier = limit(running, psutil.RLIMIT_NOFILE, used + 20)
        port = int(running.addresses["http"].rpartition(":")[2])
        writers = []
        for _ in range(100):
            with contextlib.suppress(OSError):
                writers.append((await asyncio.open_connection("127.0.0.1", port))[1])
        # Who is connected is served.
        assert (await running.count()).json() == 2
        answer = await running.deploy(files, "d")
        assert answer.status_code in (200, 400, 500, 503, 507)
        for writer in writers:
            writer.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    async with httpx.AsyncClient(base_url=running.addresses["http"]) as other:
                        if (await other.get("/health/ready")).is_success:
                            break
                await asyncio.sleep(0.1)
        limit(running, psutil.RLIMIT_NOFILE, earlier)
        assert (await running.deploy(files, "e")).is_success
        assert (await running.count()).json() == 3
