"""Commands as a person has them: on a terminal, and interrupted."""

import asyncio
import os
import pty
import signal
import sys
from typing import Any

import pytest

from servient.app import App
from servient.wot.content import Content
from servient.wot.thing import ExposedThing
from tests.things import expose_lamp

PATIENCE_SECONDS = 30.0
IMAGE = b"\x89PNG\r\n\x1a\n\x1b[31m" + bytes(range(256))


@pytest.fixture(autouse=True)
def lamp(app: App) -> ExposedThing:
    return expose_lamp(app.wot)


async def begin(app: App, *words: str, stream: int) -> asyncio.subprocess.Process:
    """A command whose standard output and error are `stream`."""
    url = app.addresses()["http"]
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "servient", *words),
        env={**os.environ, "WASM_SERVIENT_URL": url, "TERM": "xterm-256color", "COLUMNS": "100"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stream,
        stderr=stream,
    )


async def on_terminal(app: App, *words: str) -> tuple[int, bytes]:
    ours, theirs = pty.openpty()
    process = await begin(app, *words, stream=theirs)
    os.close(theirs)
    seen = bytearray()

    def read() -> None:
        try:
            while piece := os.read(ours, 65536):
                seen.extend(piece)
        except OSError:
            pass  # the other side is closed

    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.to_thread(read)
            return await process.wait(), bytes(seen)
    finally:
        os.close(ours)


async def test_a_picture_is_not_poured_out(app: App, lamp: ExposedThing) -> None:
    lamp.set_property("picture", Content(IMAGE, "image/png"))
    code, seen = await on_terminal(app, "read", "lamp", "picture")
    assert code == 0
    assert b"PNG" not in seen
    assert f"{len(IMAGE)} bytes of image/png: see -o FILE".encode() in seen


async def test_what_takes_long_is_seen_to_go_on(app: App, lamp: ExposedThing) -> None:
    async def slow(_: Any) -> dict[str, Any]:
        await asyncio.sleep(0.5)
        return {"nasty": "\x1b]0;owned\x07"}

    lamp.set_action_handler("echo", slow)
    code, seen = await on_terminal(app, "invoke", "lamp", "echo", "a=1")
    assert code == 0
    assert b"echo of lamp:1" in seen
    assert b"0:00:00" in seen
    assert b"owned" in seen
    assert b"\x1b]0;" not in seen
    code, seen = await on_terminal(app, "things")
    assert code == 0
    assert b"NAME" in seen


@pytest.mark.parametrize(
    ("words", "code"),
    [(["observe", "lamp", "level"], 0), (["invoke", "lamp", "echo", "a=1"], 130)],
)
async def test_interrupted(words: list[str], code: int, app: App, lamp: ExposedThing) -> None:
    started = asyncio.Event()

    async def forever(_: Any) -> None:
        started.set()
        await asyncio.Event().wait()

    lamp.set_action_handler("echo", forever)
    process = await begin(app, *words, stream=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    if words[0] == "observe":
        line = asyncio.create_task(process.stdout.readline())
        while not line.done():
            lamp.set_property("level", 1)
            lamp.set_property("level", 2)
            await asyncio.sleep(0.02)
    else:
        await asyncio.wait_for(started.wait(), PATIENCE_SECONDS)
    process.send_signal(signal.SIGINT)
    _, error = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == code
    assert b"Traceback" not in error
