"""A disk that takes nothing more: nothing is lost silently, and the servient lives."""

import resource
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.files import FileServer
from tests.orchestrator.machines import Machine, machines

UNLIMITED = resource.RLIM_INFINITY


def process_on(port: int) -> psutil.Process:
    for process in psutil.Process().children():
        if any(each.laddr.port == port for each in process.net_connections("tcp") if each.laddr):
            return process
    raise LookupError(f"no process listens on port {port}")


def limit_files(machine: Machine, size: int) -> None:
    """No file of the servient grows beyond this size, as if its disk were full."""
    process_on(machine.port).rlimit(psutil.RLIMIT_FSIZE, (size, UNLIMITED))


async def history(http: httpx.AsyncClient) -> list[Any]:
    entries = (await http.get("/request-history")).json()
    return [entry["result"] for entry in entries if entry["success"]]


async def test_a_full_disk(tmp_path: Path, files: FileServer) -> None:
    machine = Machine("full", tmp_path, {})
    counter = files.manifest("counter/manifest.json", deploymentId="c")
    async with machines(machine), httpx.AsyncClient(base_url=machine.url, timeout=60) as http:
        increment = "/things/c:counter/actions/increment"
        assert (await http.post("/deploy", json=counter)).status_code == 200
        assert (await http.post(increment)).json() == 1

        limit_files(machine, 1)
        refused = await http.post(increment)
        assert refused.status_code == 507
        assert "cannot be written" in refused.json()["detail"]
        execution = (await http.post("/c/modules/counter/increment")).json()
        assert "cannot be written" in execution["error"]
        for deployment in ("c", "d"):
            answer = await http.post("/deploy", json={**counter, "deploymentId": deployment})
            assert answer.status_code >= 400, answer.text
        assert (await http.delete("/deploy/c")).status_code >= 400
        present = (await http.get("/things/servient/properties/deployments")).json()
        assert [each["deploymentId"] for each in present] == ["c"]

        limit_files(machine, UNLIMITED)
        assert (await http.post(increment)).json() == 4  # the function ran each time
        assert await history(http) == [["1", None], ["4", None]]
        assert (await http.post("/deploy", json={**counter, "deploymentId": "d"})).is_success

        await machine.kill()
        await machine.start()
        assert await history(http) == [["1", None], ["4", None]]
        present = (await http.get("/things/servient/properties/deployments")).json()
        assert [each["deploymentId"] for each in present] == ["c", "d"]
        assert (await http.post(increment)).json() == 1
