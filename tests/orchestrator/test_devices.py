"""How devices are found, looked after, lost and found again: servients in processes of their own."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrator import uploads
from tests.orchestrator.discovery import discovering
from tests.orchestrator.execution import ExecutionFailed
from tests.orchestrator.machines import Machine, machines
from tests.orchestrator.orchestrator import Orchestrator, orchestrating
from tests.orchestrator.waiting import until

HEALTH_SECONDS = 0.2
INCREMENT = (uploads.counter(), "increment", "first")


@pytest.fixture
async def orchestrator() -> AsyncIterator[Orchestrator]:
    async with orchestrating(health_seconds=HEALTH_SECONDS) as orchestrator:
        yield orchestrator


@pytest.fixture
def machine(tmp_path: Path, orchestrator: Orchestrator) -> Callable[..., Machine]:
    """A machine that registers over HTTP, unless its environment says something else."""

    def make(name: str, **environment: str) -> Machine:
        told = {"WASMIOT_ORCHESTRATOR_URL": orchestrator.server.origin}
        return Machine(name, tmp_path / name, environment or told)

    return make


@contextlib.asynccontextmanager
async def known(orchestrator: Orchestrator, *several: Machine) -> AsyncIterator[None]:
    """The machines run, have registered, and are watched."""
    async with machines(*several), orchestrator.watching():
        await until(lambda: all(m.name in orchestrator.devices for m in several))
        await until(lambda: all(device.health for device in orchestrator.devices))
        yield


async def value(orchestrator: Orchestrator, deployment: Any) -> Any:
    return (await orchestrator.execute(deployment)).value


async def test_failover_and_recovery(
    orchestrator: Orchestrator, machine: Callable[..., Machine]
) -> None:
    first, second = machine("first"), machine("second")
    async with known(orchestrator, first, second):
        placed = await orchestrator.deploy([INCREMENT])
        assert [await value(orchestrator, placed) for _ in range(3)] == [1, 2, 3]

        await first.kill()
        await until(lambda: not orchestrator.devices["first"].is_active)
        await until(lambda: second.url in orchestrator.deployments[placed.id].manifests)
        moved = orchestrator.deployments[placed.id]
        assert [await value(orchestrator, moved) for _ in range(2)] == [1, 2]

        await first.start()
        await until(lambda: orchestrator.devices["first"].is_active)
        await until(lambda: first.url in orchestrator.deployments[placed.id].manifests)
        back = orchestrator.deployments[placed.id]
        assert await value(orchestrator, back) == 1
        assert len(orchestrator.server.registrations) == 2
        assert orchestrator.server.refused == []


async def test_a_chain_that_loses_its_second_machine(
    orchestrator: Orchestrator, machine: Callable[..., Machine]
) -> None:
    first, second = machine("first"), machine("second")
    async with known(orchestrator, first, second):
        chain = [(uploads.fibo(), "fibo", "first"), (uploads.fibo_post(), "fibo", "second")]
        deployment = await orchestrator.deploy(chain)
        assert (await orchestrator.execute(deployment, {"param0": 4})).value == 8

        await second.kill()
        with pytest.raises(ExecutionFailed):
            await orchestrator.execute(deployment, {"param0": 4})
        await until(lambda: list(orchestrator.deployments[deployment.id].manifests) == [first.url])
        moved = orchestrator.deployments[deployment.id]
        assert (await orchestrator.execute(moved, {"param0": 4})).value == 8

        await second.start()
        await until(lambda: len(orchestrator.deployments[deployment.id].manifests) == 2)
        back = orchestrator.deployments[deployment.id]
        assert (await orchestrator.execute(back, {"param0": 4})).value == 8


async def test_a_restart_that_nobody_notices(
    orchestrator: Orchestrator, machine: Callable[..., Machine]
) -> None:
    """What was deployed is there again, its state is not; the orchestrator has nothing to do."""
    first = machine("first")
    async with machines(first):
        await until(
            lambda: "first" in orchestrator.devices and orchestrator.devices["first"].health
        )
        deployment = await orchestrator.deploy([INCREMENT])
        assert [await value(orchestrator, deployment) for _ in range(2)] == [1, 2]
        executed = await orchestrator.execute(deployment)
        for end in (first.kill, first.stop):
            await end()
            await first.start()
            assert await value(orchestrator, deployment) == 1
            entries = await orchestrator.history(first.url)
            ids = [entry["request_id"] for entry in entries]
            assert executed.answers[0]["resultUrl"].rpartition("/")[2] in ids
            assert len(ids) == len(set(ids))
        assert await orchestrator.check(orchestrator.devices["first"])
        assert len(orchestrator.server.registrations) == 1


async def test_found_by_multicast_dns(
    orchestrator: Orchestrator, machine: Callable[..., Machine], tmp_path: Path
) -> None:
    """A restart says no goodbye: the orchestrator would forget the device with its deployments."""
    name = f"found-{tmp_path.name.replace('_', '-')}"
    announced = machine(
        name, WASM_SERVIENT_ANNOUNCE="true", WASM_SERVIENT_ANNOUNCE_INTERFACE="127.0.0.1"
    )
    async with discovering(orchestrator) as gone, machines(announced):
        await until(lambda: name in orchestrator.devices and orchestrator.devices[name].health)
        device = orchestrator.devices[name]
        assert device.port == announced.port
        wanted = [(uploads.counter(), "increment", name)]
        deployment = await orchestrator.deploy(wanted)
        assert await value(orchestrator, deployment) == 1
        await announced.stop()
        await announced.start()
        assert await value(orchestrator, deployment) == 1
        assert gone == []
        assert orchestrator.devices[name] is device
        # It tells the orchestrator of before, which has not to say again where it is.
        assert await orchestrator.check(device)
        await until(lambda: any(r["deviceName"] == name for r in orchestrator.server.logs))


async def test_a_deliberate_farewell(
    orchestrator: Orchestrator, machine: Callable[..., Machine], tmp_path: Path
) -> None:
    name = f"leaving-{tmp_path.name.replace('_', '-')}"
    announced = machine(
        name,
        WASM_SERVIENT_ANNOUNCE="true",
        WASM_SERVIENT_ANNOUNCE_INTERFACE="127.0.0.1",
        WASM_SERVIENT_WITHDRAW_ON_STOP="true",
    )
    async with discovering(orchestrator) as gone, machines(announced):
        await until(lambda: name in orchestrator.devices)
        await announced.stop()
        await until(lambda: gone == [name])
        assert name not in orchestrator.devices
