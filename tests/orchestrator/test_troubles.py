"""What goes on beside an execution, and must not disturb it: or must, and says so."""

import asyncio
from typing import Any

import aiohttp
import pytest

from servient.app import App
from tests.orchestrator import uploads
from tests.orchestrator.conftest import device_of
from tests.orchestrator.execution import ExecutionFailed
from tests.orchestrator.orchestrator import DeployFailed, Orchestrator, orchestrating

ENDLESS = 3


async def test_no_value_is_a_result(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.idle(), "run", None)])
    executed = await orchestrator.execute(deployment)
    assert executed.result == ["null", None]
    assert len(executed.answers) == 1


async def test_endless_functions_delay_nobody(configure: Any) -> None:
    config = configure("first", module_timeout_seconds=3.0)
    async with App(config) as app, orchestrating() as orchestrator:
        device = await orchestrator.discovered(device_of(app))
        busy = [
            await orchestrator.deploy([(uploads.endless(), "forever", None)])
            for _ in range(ENDLESS)
        ]
        other = await orchestrator.deploy([(uploads.counter(), "increment", None)])
        runs = [
            asyncio.create_task(orchestrator.execute(each), name=f"endless {each.id}")
            for each in busy
        ]
        counted = 0
        while not any(run.done() for run in runs):
            counted += 1
            assert (await orchestrator.execute(other)).value == counted
            assert await orchestrator.check(device)
        assert counted > 1
        for run in runs:
            with pytest.raises(ExecutionFailed, match="3 s"):
                await run


async def test_a_redeployment_in_the_middle_of_executions(orchestrator: Orchestrator) -> None:
    """Each of them gives the right result, or a failure with its reason; none is left hanging."""
    wanted = [(uploads.fibo(), "fibo", "first"), (uploads.fibo_post(), "fibo", "second")]
    deployment = await orchestrator.deploy(wanted)
    is_over = False

    async def execute() -> int:
        right = 0
        while not is_over:
            try:
                assert (await orchestrator.execute(deployment, {"param0": 4})).value == 8
                right += 1
            except ExecutionFailed as failed:
                assert failed.reason
        return right

    clients = [asyncio.create_task(execute(), name=f"client {n}") for n in range(4)]
    for _ in range(10):
        await orchestrator.deploy(wanted, deployment.id)
        await asyncio.sleep(0.05)
    is_over = True
    assert sum(await asyncio.gather(*clients)) > 0
    assert (await orchestrator.execute(deployment, {"param0": 4})).value == 8


async def test_a_refused_redeployment_leaves_what_was_there(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.counter(), "increment", "first")])
    assert (await orchestrator.execute(deployment)).value == 1
    [(url, manifest)] = deployment.manifests.items()
    manifest["modules"][0]["urls"]["binary"] += "-that-is-not-there"
    with pytest.raises(DeployFailed, match="-that-is-not-there"):
        await orchestrator.send(url, manifest)
    assert (await orchestrator.execute(deployment)).value == 2


async def test_what_is_undeployed_is_gone(orchestrator: Orchestrator) -> None:
    wanted = [(uploads.camera(), "take_image_predefined_path", "first")]
    deployment = await orchestrator.deploy(wanted)
    await orchestrator.execute(deployment)
    url = deployment.steps[0].device_url
    async with aiohttp.ClientSession() as client:
        for status in (200, 404):
            async with client.delete(f"{url}/deploy/{deployment.id}") as answer:
                assert answer.status == status
    with pytest.raises(ExecutionFailed, match="404: Not Found"):
        await orchestrator.execute(deployment)


async def test_what_javascript_leaves_undefined(orchestrator: Orchestrator) -> None:
    """Nulls where something could be, and members that nobody knows."""
    deployment = await orchestrator.deploy([(uploads.fibo(), "fibo", "first")])
    [(url, manifest)] = deployment.manifests.items()
    manifest |= {"validation": None, "__v": 0, "name": "a chain"}
    manifest["modules"][0] |= {"exports": None, "requirements": [None], "isCoreModule": False}
    manifest["mounts"]["fibo"]["fibo"]["output"] = None
    manifest["endpoints"]["fibo"]["fibo"]["request"]["request_body"] = None
    manifest["instructions"]["modules"]["fibo"]["fibo"]["from"] = None
    await orchestrator.send(url, manifest)
    assert (await orchestrator.execute(deployment, {"param0": 7})).value == 21
