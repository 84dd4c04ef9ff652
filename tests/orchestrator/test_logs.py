"""What a page of the orchestrator reads in the logs: it looks for these texts and no others."""

from typing import Any

import pytest

from tests.orchestrator import uploads
from tests.orchestrator.execution import ExecutionFailed
from tests.orchestrator.orchestrator import Orchestrator
from tests.orchestrator.waiting import until


def messages(orchestrator: Orchestrator, device: str) -> list[str]:
    return [r["message"] for r in orchestrator.server.logs if r["deviceName"] == device]


async def logged(orchestrator: Orchestrator, device: str, *expected: str) -> list[dict[str, Any]]:
    """The records of a device with these messages, when all of them have come."""
    await until(lambda: set(expected) <= set(messages(orchestrator, device)))
    return [
        next(r for r in orchestrator.server.logs if (r["deviceName"], r["message"]) == (device, m))
        for m in expected
    ]


async def test_a_chain_in_the_logs(orchestrator: Orchestrator) -> None:
    fibo, stateful = uploads.fibo(), uploads.stateful_fibo()
    deployment = await orchestrator.deploy([(fibo, "fibo", "first"), (stateful, "fibo", "second")])
    await orchestrator.execute(deployment, {"param0": 7})
    path = deployment.steps[1].endpoint(deployment.id)["path"]
    records = await logged(
        orchestrator,
        "first",
        "Deployment created",
        "Preparing Wasm module 'fibo'",
        "Running Wasm function 'fibo'",
        "Execution result: 21",
        "Module run",
    )
    assert all(record["deployment_id"] == deployment.id for record in records)
    assert {record["module_name"] for record in records[1:]} == {"fibo"}
    [entry] = await orchestrator.history(orchestrator.devices["first"].url)
    assert {record["request_id"] for record in records[1:]} == {entry["request_id"]}
    device = orchestrator.devices["second"]
    await logged(orchestrator, "first", f"Making sub-call from 'fibo' to '{device.url}{path}'")
    [called] = await orchestrator.history(device.url)
    await logged(orchestrator, "first", f"Result url: {called['resultUrl']}")
    await logged(
        orchestrator,
        "second",
        "Deployment created",
        "Preparing Wasm module 'stateful_fibo'",
        "Running Wasm function 'fibo'",
        "Execution result: 1",
        "Module run",
    )
    assert orchestrator.server.refused == []


async def test_a_failure_in_the_logs(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.endless(), "trap", "second")])
    with pytest.raises(ExecutionFailed):
        await orchestrator.execute(deployment)
    [record] = await logged(orchestrator, "second", "Error running WebAssembly function 'trap'")
    assert record["loglevel"] == "ERROR"


async def test_health_in_the_logs(orchestrator: Orchestrator) -> None:
    """One is in the logs once the device has been told where they go: from the second check on."""
    for name in ("first", "second"):
        assert await orchestrator.check(orchestrator.devices[name])
        await logged(orchestrator, name, "Health check done")
