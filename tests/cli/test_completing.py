"""What a shell is offered: names that the servient knows, and nothing when it does not answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from servient.app import App
from tests.cli.command import NOTHING, Ended, command
from tests.things import expose_lamp


async def completed(app: App | str, *words: str) -> list[str]:
    """The proposals for the last word, as bash asks for them."""
    url = app if isinstance(app, str) else app.addresses()["http"]
    ended: Ended = await command(
        env={
            **{name: value or "" for name, value in NOTHING.items()},
            "WASM_SERVIENT_URL": url,
            "_WASM_SERVIENT_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(("wasm-servient", *words)),
            "COMP_CWORD": str(len(words)),
        }
    )
    assert "Traceback" not in ended.err
    return ended.out.split()


@pytest.fixture
async def lamp(app: App) -> AsyncIterator[App]:
    expose_lamp(app.wot)
    yield app


async def test_names_of_things_and_of_what_they_offer(lamp: App) -> None:
    assert await completed(lamp, "td", "l") == ["lamp"]
    assert await completed(lamp, "td", "lamp:") == ["lamp:1"]
    expose_lamp(lamp.wot, "lamp:2")
    assert await completed(lamp, "td", "l") == ["lamp:1", "lamp:2"]
    assert await completed(lamp, "invoke", "lamp:1", "to") == ["toggle"]
    assert await completed(lamp, "invoke", "lamp:1", "double", "n") == ["number="]
    assert await completed(lamp, "read", "lamp:1", "s") == ["serial", "settings"]
    assert await completed(lamp, "observe", "--event", "lamp:1", "tog") == ["toggled"]
    assert await completed(lamp, "invoke", "nothing", "x") == []


async def test_names_of_deployments(lamp: App) -> None:
    deploy = ("deploy", "examples/counter/counter.wasm", "--url", lamp.addresses()["http"])
    assert (await command(*deploy)).code == 0
    assert await completed(lamp, "undeploy", "c") == ["counter"]


async def test_nobody_is_asked_for_longer_than_a_second() -> None:
    assert await completed("http://127.0.0.1:1", "td", "l") == []
    assert await completed("nonsense", "td", "l") == []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with asyncio.timeout(20):
            assert await completed(url, "td", "l") == []
