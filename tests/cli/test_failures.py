"""What goes wrong, in one sentence with its exit code: nobody there, and who answers nonsense."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from servient.app import App
from tests.cli.command import command
from tests.cli.conftest import Run
from tests.things import expose_lamp

FIBONACCI = "examples/fibonacci/fibonacci.wasm"
NOT_FOUND = b'{"title": "Not found", "status": 404, "detail": "\x1b[31mno"}'


@dataclass
class Stranger:
    """A server that is no servient: it answers every request with the same bytes."""

    url: str
    requests: list[bytes] = field(default_factory=list)


@contextlib.asynccontextmanager
async def stranger(body: bytes, status: str = "200 OK", *more: str) -> AsyncIterator[Stranger]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            server.requests.append(await reader.readuntil(b"\r\n\r\n"))
            head = "".join(
                f"{line}\r\n"
                for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more)
            )
            writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    server = Stranger(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    async with listening:
        yield server


@pytest.fixture
def closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.mark.parametrize(
    "words",
    [
        ["things"], ["td", "x"], ["invoke", "x", "y"], ["read", "x", "y"], ["observe", "x", "y"],
        ["write", "x", "y", "1"], ["invocations"], ["cancel", "a:b:1"], ["undeploy", "x"],
        ["deployments"], ["deploy", FIBONACCI],
    ],
    ids=lambda words: words[0],
)  # fmt: skip
async def test_nobody_is_there(words: list[str], closed: int) -> None:
    ended = await command(*words, "--url", f"http://127.0.0.1:{closed}")
    ended.failed(3, f"127.0.0.1:{closed}", "wasm-servient run", "--url")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "no URL of a servient"), ("x", "no URL"), ("ftp://a", "no URL"),
        ("http://", "no URL"), ("http://a:b", "no URL"), ("http://a:99999", "no URL"),
        ("http://[::1", "no URL"), ("http://a b", "no URL"), ("http://a/\x1b[31m", "no URL"),
        ("http://a/?x=1", "no URL"), ("http://ann:secret@a", "--token"),
        ("http://" + "a" * 5000, "no URL"),
    ],
)  # fmt: skip
async def test_urls_that_lead_nowhere(url: str, word: str) -> None:
    ended = await command("things", "--url", url)
    ended.failed(2, word)
    assert "secret" not in ended.err
    assert len(ended.err) < 300


async def test_a_name_that_does_not_exist() -> None:
    (await command("things", "--url", "http://no-such-host.invalid")).failed(3)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/td", "coap://127.0.0.1:1/td", "mqtt://x/y"])
async def test_descriptions_that_cannot_be_had(url: str, run: Run) -> None:
    ended = await run("td", url, "--timeout", "5")
    assert ended.code in (2, 3), ended
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"[", b"null", b"1", b"{}", b'{"a": 1}', b"[" * 100_000, b"\xff"]
)
async def test_who_answers_is_no_servient(body: bytes) -> None:
    async with stranger(body) as server:
        for words in (["things"], ["td", "x"], ["invocations"]):
            (await command(*words, "--url", server.url)).failed(1, "is no servient")
        (await command("td", f"{server.url}/td", "--url", server.url)).failed(1, "Description")
        ended = await command("deploy", FIBONACCI, "--url", server.url)
        ended.failed(1, "no servient" if ended.err.endswith("--url\n") else "does not say what")


async def test_refusals_are_told_without_what_a_terminal_obeys() -> None:
    async with stranger(NOT_FOUND, "404 Not Found") as server:
        ended = await command("undeploy", "x", "--url", server.url)
        ended.failed(1)
        assert "\x1b" not in ended.err
    async with stranger(b"oops", "500 Internal Server Error") as server:
        (await command("things", "--url", server.url)).failed(1, "500")
    async with stranger(b"", "302 Found", "Location: http://127.0.0.1:1/") as server:
        (await command("things", "--url", server.url)).failed(1)


async def test_who_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            open_ones.add(writer)
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while not ended.is_set():
                writer.write(bytes(100_000) if path.startswith(b"/things") else b" ")
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()
        open_ones.discard(writer)

    ended = asyncio.Event()
    open_ones: set[asyncio.StreamWriter] = set()
    monkeypatch.setattr("servient.cli.exchange.DOCUMENT_LIMIT_BYTES", 1_000_000)
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        (await command("things", "--url", url)).failed(1, "more than 1000000 bytes")
        (await command("td", f"{url}/x", "--timeout", "0.5")).failed(3, "0.5 s are over")
        ended.set()
        while open_ones:
            await asyncio.sleep(0.01)


MALFORMED: list[dict[str, Any]] = [
    {"actions": None}, {"actions": []}, {"actions": {"toggle": None}}, {"actions": {"toggle": {}}},
    {"actions": {"toggle": {"forms": None}}}, {"actions": {"toggle": {"forms": [None]}}},
    {"actions": {"toggle": {"forms": [{"href": None}]}}}, {"base": 5},
    {"actions": {"toggle": {"forms": [{"href": "http://[/"}]}}},
    {"actions": {"toggle": {"forms": [{"href": "gopher://a/"}]}}},
    {"actions": {"toggle": {"input": 5, "forms": [{"href": "http://127.0.0.1:1/"}]}}},
    {"actions": {"toggle": {"forms": [{"href": "http://127.0.0.1:1/", "op": 5}]}}},
    {"actions": {"toggle": {"forms": [{"href": "coap://"}]}}},
    {"actions": {"toggle": {"forms": [{"href": "mqtt://127.0.0.1:1/a"}]}}},
    {"actions": {"toggle": {"forms": [{"href": "ws://127.0.0.1:1/a"}]}}},
    {"properties": {"x": {"forms": 5}}}, {"title": "\x1b[31m" * 1000}, {"security": None},
    {"securityDefinitions": 5}, {"forms": [None, 5]},
]  # fmt: skip


async def test_descriptions_that_are_malformed(run: Run, app: App, tmp_path: Path) -> None:
    td = app.servient.td(expose_lamp(app.wot))
    for change in MALFORMED:
        (tmp_path / "td.json").write_text(json.dumps({**td, **change}))
        ended = await run("invoke", str(tmp_path / "td.json"), "toggle", "--timeout", "3")
        if ended.code != 0:
            assert ended.code in (1, 2, 3), (change, ended)
            assert ended.err.count("\n") == 1, (change, ended)
            assert len(ended.err) < 10_000, change


async def test_no_answer_in_time(run: Run, app: App) -> None:
    lamp = expose_lamp(app.wot)

    async def forever(_: Any) -> None:
        await asyncio.Event().wait()

    lamp.set_action_handler("toggle", forever)
    for protocol in ("http", "ws", "coap", "mqtt"):
        ended = await run("invoke", "lamp:1", "toggle", "-p", protocol, "--timeout", "0.5")
        ended.failed(3, "did not answer within 0.5 s", "--timeout")


@pytest.mark.parametrize("protocol", ["http", "ws", "coap", "mqtt"])
async def test_a_subscription_ends_with_its_thing(
    protocol: str, run: Run, app: App, tmp_path: Path
) -> None:
    lamp, latest = expose_lamp(app.wot), tmp_path / "latest"
    words = ("observe", "lamp:1", "level", "-p", protocol, "-o", str(latest))
    observing = asyncio.create_task(run(*words))
    number = 0
    while not latest.exists() and not observing.done():
        lamp.set_property("level", number := (number + 1) % 100)
        await asyncio.sleep(0.02)
    lamp.destroy()
    ended = await observing
    assert ended.code == 1, ended
    assert ended.err.endswith("\n")
    assert "lamp:1" in ended.err.splitlines()[-1]
