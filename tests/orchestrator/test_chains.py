"""Chains of functions over two servients and on one, as an orchestrator sees them."""

import asyncio
from typing import Any

import pytest

from servient.app import App
from tests.orchestrator import uploads
from tests.orchestrator.conftest import JPEG, device_of
from tests.orchestrator.execution import ExecutionFailed
from tests.orchestrator.orchestrator import Deployment, Orchestrator, Wanted, orchestrating

PLACES = {
    "two machines": ("first", "second", "first"),
    "one machine": ("first", "first", "first"),
    "away and on": ("first", "second", "second"),
}
INVERTED = bytes(255 - byte for byte in JPEG)


def fibos(*places: str) -> list[Wanted]:
    """The same code under names of its own, since a manifest is keyed by them."""
    return [
        (uploads.fibo(f"6b0245d64195de0afd6af{number:03x}", f"fibo{number}"), "fibo", place)
        for number, place in enumerate(places)
    ]


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
async def test_three_integers(orchestrator: Orchestrator, places: tuple[str, ...]) -> None:
    deployment = await orchestrator.deploy(fibos(*places))
    for first, last in {3: 3, 4: 34, 0: 1}.items():
        executed = await orchestrator.execute(deployment, {"param0": first})
        assert executed.value == last


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
async def test_every_method(orchestrator: Orchestrator, places: tuple[str, ...]) -> None:
    modules = (uploads.fibo(), uploads.fibo_post(), uploads.fibo_put())
    wanted = [(module, "fibo", place) for module, place in zip(modules, places, strict=True)]
    executed = await orchestrator.execute(await orchestrator.deploy(wanted), {"param0": 4})
    assert executed.value == 34


@pytest.mark.parametrize("to", ["first", "second"])
async def test_the_real_chain(orchestrator: Orchestrator, to: str) -> None:
    """The one whose manifests the real orchestrator made: its second step counts, whatever it gets."""
    wanted = [(uploads.fibo(), "fibo", "first"), (uploads.stateful_fibo(), "fibo", to)]
    deployment = await orchestrator.deploy(wanted)
    values = [(await orchestrator.execute(deployment, {"param0": 7})).value for _ in range(4)]
    assert values == [1, 2, 3, 5]


@pytest.mark.parametrize("to", ["first", "second"])
async def test_from_the_camera_to_the_next_machine(orchestrator: Orchestrator, to: str) -> None:
    camera = (uploads.camera(), "take_image_predefined_path", "first")
    deployment = await orchestrator.deploy([camera, (uploads.bytes_module(), "invert", to)])
    executed = await orchestrator.execute(deployment)
    assert executed.result == [None, ["result.jpeg"]]
    assert await orchestrator.result_file(deployment, "result.jpeg") == INVERTED


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
async def test_from_a_file_to_a_number(orchestrator: Orchestrator, places: tuple[str, ...]) -> None:
    steps = (
        (uploads.camera(), "take_image_predefined_path"),
        (uploads.bytes_module(), "size_with_table"),
        (uploads.counter(), "add"),
    )
    wanted = [(*step, place) for step, place in zip(steps, places, strict=True)]
    executed = await orchestrator.execute(await orchestrator.deploy(wanted))
    assert executed.value == len(JPEG) + len(uploads.TABLE_BYTES)


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
async def test_many_at_once(orchestrator: Orchestrator, places: tuple[str, ...]) -> None:
    deployment = await orchestrator.deploy(fibos(*places))

    async def execute(first: int) -> Any:
        return (await orchestrator.execute(deployment, {"param0": first})).value

    firsts = [0, 1, 2, 3, 4] * 6
    assert await asyncio.gather(*map(execute, firsts)) == [
        {0: 1, 1: 1, 2: 2, 3: 3, 4: 34}[first] for first in firsts
    ]


async def test_steps_are_numbered(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy(fibos("first", "second", "first"))
    await orchestrator.execute(deployment, {"param0": 4}, headers={"X-Chain-Step": "0"})
    entries = await history(orchestrator, deployment)
    steps = {entry["module_name"]: entry["step_index"] for entry in entries}
    assert steps == {"fibo0": 0, "fibo1": 1, "fibo2": 2}


@pytest.mark.parametrize("to", ["first", "second"])
async def test_a_trap_in_the_next_step_is_a_failure_of_the_run(
    orchestrator: Orchestrator, to: str
) -> None:
    chain = [(uploads.fibo(), "fibo", "first"), (uploads.endless(), "trap", to)]
    deployment = await orchestrator.deploy(chain)
    with pytest.raises(ExecutionFailed) as failed:
        await orchestrator.execute(deployment, {"param0": 7})
    assert failed.value.reason
    entries = await history(orchestrator, deployment)
    first = next(entry for entry in entries if entry["module_name"] == "fibo")
    assert first["success"] is False
    assert "trap" in first["error"]


async def test_an_argument_that_the_chain_cannot_give_is_told(orchestrator: Orchestrator) -> None:
    """The real manifest of the same module twice: only the first of two parameters is passed on."""
    chain = [(uploads.fibo(), "fibo", "first"), (uploads.fibo(), "subtract", "first")]
    deployment = await orchestrator.deploy(chain)
    with pytest.raises(ExecutionFailed, match="param1"):
        await orchestrator.execute(deployment, {"param0": 7})


async def test_a_next_step_that_is_gone_is_a_failure_with_its_reason(configure: Any) -> None:
    async with orchestrating() as orchestrator, App(configure("first")) as first:
        async with App(configure("second")) as second:
            for app in (first, second):
                await orchestrator.discovered(device_of(app))
            deployment = await orchestrator.deploy(fibos("first", "second", "first"))
            gone = device_of(second).url
        with pytest.raises(ExecutionFailed):
            await orchestrator.execute(deployment, {"param0": 4})
        entries = await history(orchestrator, deployment, first)
        assert entries[-1]["success"] is False
        assert gone in entries[-1]["error"]


async def test_an_undeployed_next_step_is_a_failure_with_its_reason(
    orchestrator: Orchestrator, apps: tuple[App, App]
) -> None:
    deployment = await orchestrator.deploy(fibos("first", "second"))
    await apps[1].deployer.undeploy(deployment.id)
    with pytest.raises(ExecutionFailed):
        await orchestrator.execute(deployment, {"param0": 4})
    entries = await history(orchestrator, deployment, apps[0])
    assert entries[-1]["success"] is False
    assert "fibo1" in entries[-1]["error"]


@pytest.mark.parametrize("places", [("first", "first"), ("first", "second")])
async def test_a_circle_ends(orchestrator: Orchestrator, places: tuple[str, str]) -> None:
    """No orchestrator makes one, but a manifest may say it."""
    deployment = await orchestrator.deploy(fibos(*places))
    last = deployment.steps[-1]
    for url, manifest in deployment.manifests.items():
        instructions = manifest["instructions"]["modules"]
        if last.module.name in instructions:
            instructions[last.module.name]["fibo"]["to"] = deployment.endpoint
        await orchestrator.send(url, manifest)
    async with asyncio.timeout(60):
        with pytest.raises(ExecutionFailed):
            await orchestrator.execute(deployment, {"param0": 1})
    # It costs its own run alone.
    other = await orchestrator.deploy(fibos(*places))
    assert (await orchestrator.execute(other, {"param0": 4})).value == 8


async def history(
    orchestrator: Orchestrator, deployment: Deployment, *apps: App
) -> list[dict[str, Any]]:
    """The entries of a deployment, of all its devices or of the given ones."""
    urls = [device_of(app).url for app in apps] or list(deployment.manifests)
    return [
        entry
        for url in urls
        for entry in await orchestrator.history(url)
        if entry["deployment_id"] == deployment.id
    ]
