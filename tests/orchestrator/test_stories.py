"""What users do with one function at a time, through an orchestrator and two servients."""

import asyncio
import struct
from typing import Any

import aiohttp
import pytest

from servient.app import App
from tests.orchestrator import uploads
from tests.orchestrator.conftest import JPEG, device_of
from tests.orchestrator.execution import Body, ExecutionFailed
from tests.orchestrator.orchestrator import DeployFailed, Orchestrator, orchestrating

FIBO = {0: 1, 1: 1, 5: 8, 7: 21, 12: 233, 30: 1346269}


async def test_integers(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.fibo(), "fibo", "first")])
    for iterations, number in FIBO.items():
        executed = await orchestrator.execute(deployment, {"param0": iterations})
        assert executed.result == [str(number), None]
        assert executed.waits == 0


@pytest.mark.parametrize("body", Body)
@pytest.mark.parametrize("module", [uploads.fibo_post, uploads.fibo_put])
async def test_a_body_that_means_nothing(apps: tuple[App, App], body: Body, module: Any) -> None:
    """What a POST or PUT carries when there is no file to send."""
    async with orchestrating(body) as orchestrator:
        await orchestrator.discovered(device_of(apps[0]))
        deployment = await orchestrator.deploy([(module(), "fibo", None)])
        assert (await orchestrator.execute(deployment, {"param0": 7})).value == 21
        deployment = await orchestrator.deploy([(uploads.counter(), "increment", None)])
        assert [(await orchestrator.execute(deployment)).value for _ in range(3)] == [1, 2, 3]


async def test_arguments_go_by_name_in_any_order(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.fibo(), "subtract", None)])
    for arguments in ({"param0": 50, "param1": 8}, {"param1": 8, "param0": 50}):
        assert (await orchestrator.execute(deployment, arguments)).value == 42


async def test_zero_is_a_result(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.fibo(), "subtract", None)])
    executed = await orchestrator.execute(deployment, {"param0": 5, "param1": 5})
    assert executed.result == ["0", None]
    assert len(executed.answers) == 1


async def test_floats(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.bytes_module(), "addf", None)])
    executed = await orchestrator.execute(deployment, {"b": 2.25, "a": 1.5})
    assert executed.value == 3.75
    narrow = (await orchestrator.execute(deployment, {"a": 0.1, "b": 0})).value
    assert struct.pack("<f", narrow) == struct.pack("<f", 0.1)


async def test_files_in_and_out(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.bytes_module(), "invert", "second")])
    executed = await orchestrator.execute(deployment, files={"image.jpeg": JPEG})
    assert executed.result == [None, ["result.jpeg"]]
    inverted = bytes(255 - byte for byte in JPEG)
    assert await orchestrator.result_file(deployment, "result.jpeg") == inverted


async def test_a_large_file(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.bytes_module(), "invert", "second")])
    sent = bytes(range(256)) * 20_000
    await orchestrator.execute(deployment, files={"image.jpeg": sent})
    inverted = bytes(range(255, -1, -1)) * 20_000
    assert await orchestrator.result_file(deployment, "result.jpeg") == inverted


async def test_a_file_of_the_deployment_beside_one_of_the_request(
    orchestrator: Orchestrator,
) -> None:
    module = uploads.bytes_module()
    deployment = await orchestrator.deploy([(module, "size_with_table", None)])
    executed = await orchestrator.execute(deployment, files={"image.jpeg": b"x" * 11})
    assert executed.value == len(uploads.TABLE_BYTES) + 11


async def test_the_request_does_not_replace_a_file_of_the_deployment(
    orchestrator: Orchestrator,
) -> None:
    """The endpoint names it among the parts of a request, although it came with the deployment."""
    module = uploads.bytes_module()
    deployment = await orchestrator.deploy([(module, "size_with_table", None)])
    files = {"table.bin": b"of the request", "image.jpeg": b"x" * 11}
    for sent in (files, {"image.jpeg": b""}, {"image.jpeg": b"xx"}):
        executed = await orchestrator.execute(deployment, files=sent)
        assert executed.value == len(uploads.TABLE_BYTES) + len(sent["image.jpeg"])


async def test_state_is_kept_until_the_next_deployment(orchestrator: Orchestrator) -> None:
    wanted = [(uploads.stateful_fibo(), "fibo", "first")]
    deployment = await orchestrator.deploy(wanted)

    async def numbers(count: int) -> list[Any]:
        return [(await orchestrator.execute(deployment, {"param0": 0})).value for _ in range(count)]

    assert await numbers(5) == [1, 2, 3, 5, 8]
    assert (await orchestrator.deploy(wanted, deployment.id)).id == deployment.id
    assert await numbers(3) == [1, 2, 3]
    other = await orchestrator.deploy(wanted)
    assert (await orchestrator.execute(other, {"param0": 0})).value == 1
    assert await numbers(1) == [5]


async def test_a_trap_is_told_with_its_reason(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.endless(), "trap", None)])
    for _ in range(2):
        with pytest.raises(ExecutionFailed) as failed:
            await orchestrator.execute(deployment)
        assert "trapped" in failed.value.reason


async def test_an_endless_loop_ends_at_its_deadline(configure: Any) -> None:
    config = configure("first", module_timeout_seconds=1.0)
    async with App(config) as app, orchestrating() as orchestrator:
        await orchestrator.discovered(device_of(app))
        deployment = await orchestrator.deploy([(uploads.endless(), "forever", None)])
        with pytest.raises(ExecutionFailed, match=r"1 s"):
            await orchestrator.execute(deployment)
        deployment = await orchestrator.deploy([(uploads.endless(), "spin", None)])
        assert (await orchestrator.execute(deployment, {"millions": 0})).result[0]


async def test_a_missing_file_is_told(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.bytes_module(), "invert", None)])
    for files in ({}, {"one.jpeg": JPEG, "two.jpeg": JPEG}):
        with pytest.raises(ExecutionFailed):
            await orchestrator.execute(deployment, files=files)


async def test_the_camera(orchestrator: Orchestrator) -> None:
    wanted = [(uploads.camera(), "take_image_predefined_path", "first")]
    deployment = await orchestrator.deploy(wanted)
    executed = await orchestrator.execute(deployment)
    assert executed.result == [None, ["image.jpeg"]]
    assert await orchestrator.result_file(deployment, "image.jpeg") == JPEG


async def test_concurrent_executions_of_one_deployment(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.fibo(), "subtract", None)])

    async def execute(number: int) -> Any:
        arguments = {"param0": 1000, "param1": number}
        return (await orchestrator.execute(deployment, arguments)).value

    assert await asyncio.gather(*map(execute, range(60))) == [1000 - n for n in range(60)]


async def test_concurrent_executions_keep_their_files_apart(orchestrator: Orchestrator) -> None:
    module = uploads.bytes_module()
    deployment = await orchestrator.deploy([(module, "invert", None)])

    async def execute(number: int) -> bytes:
        sent = bytes([number]) * (1000 + number)
        executed = await orchestrator.execute(deployment, files={"image.jpeg": sent})
        assert executed.result == [None, ["result.jpeg"]]
        entry = await fetch(executed.answers[0]["resultUrl"])
        body: bytes = await fetch(entry["outputs"][0])
        return body

    async def fetch(url: str) -> Any:
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            assert answer.status == 200
            is_json = answer.content_type == "application/json"
            return await (answer.json() if is_json else answer.read())

    bodies = await asyncio.gather(*map(execute, range(50)))
    assert bodies == [bytes([255 - n]) * (1000 + n) for n in range(50)]


async def test_a_module_is_fetched_with_all_its_files(orchestrator: Orchestrator) -> None:
    """Also those that the function does not use: the deployment carries the module."""
    await orchestrator.deploy([(uploads.bytes_module(), "addf", None)])
    assert any(path.endswith("/table.bin") for path in orchestrator.server.fetched)


async def test_a_module_that_no_device_can_run_is_not_placed(orchestrator: Orchestrator) -> None:
    module = uploads.module_importing("sys", "makeCoffee")
    with pytest.raises(DeployFailed, match="no device offers"):
        await orchestrator.deploy([(module, "run", None)])


async def test_deployments_of_one_module_do_not_meet(orchestrator: Orchestrator) -> None:
    one = await orchestrator.deploy([(uploads.counter(), "increment", "first")])
    two = await orchestrator.deploy([(uploads.counter(), "increment", "first")])
    assert [(await orchestrator.execute(one)).value for _ in range(3)] == [1, 2, 3]
    assert (await orchestrator.execute(two)).value == 1
