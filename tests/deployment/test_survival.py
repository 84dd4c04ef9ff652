"""What was acknowledged survives kill -9 at any moment, and what was refused does not come back."""

from pathlib import Path

import httpx

from tests.deployment.survival import survive
from tests.files import FileServer
from tests.orchestrator.machines import Machine, machines


async def test_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    ledger = await survive(tmp_path, rounds=12, seed=1)
    assert ledger.acknowledged
    assert ledger.interrupted
    assert ledger.results
    assert ledger.files


async def test_an_invocation_that_a_kill_interrupts_has_failed(
    tmp_path: Path, files: FileServer
) -> None:
    machine = Machine("interrupted", tmp_path, {})
    async with machines(machine), httpx.AsyncClient(timeout=60) as http:
        manifest = files.manifest("endless/manifest.json", deploymentId="e")
        assert (await http.post(f"{machine.url}/deploy", json=manifest)).status_code == 200
        action = f"{machine.url}/things/e:endless/actions/forever"
        answer = await http.post(action, headers={"Prefer": "respond-async"})
        assert answer.status_code == 201
        where = answer.headers["location"]
        assert (await http.get(machine.url + where)).json()["status"] == "running"
        await machine.kill()
        await machine.start()
        status = (await http.get(machine.url + where)).json()
        assert status["status"] == "failed"
        assert status["error"]["detail"] == "the servient stopped before action 'forever' ended"
