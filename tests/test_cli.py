"""The command line, run as a program."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

PATIENCE_SECONDS = 30.0


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "servient", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def finish(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    try:
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def free(tmp_path: Path) -> list[str]:
    return [
        *("--port", "0", "--coap-port", "0", "--mqtt-port", "0"),
        *("--instance-path", str(tmp_path / "instance")),
    ]


@pytest.fixture
async def running(
    free: list[str],
) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, str]]]:
    process = await start("run", "--json", *free)
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
    yield process, json.loads(line)
    if process.returncode is None:
        process.kill()
        await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_runs_until_it_is_told_to_stop(
    running: tuple[asyncio.subprocess.Process, dict[str, str]], number: signal.Signals
) -> None:
    process, addresses = running
    assert set(addresses) == {"http", "websocket", "coap", "mqtt"}
    async with httpx.AsyncClient(base_url=addresses["http"]) as http:
        td = (await http.get("/.well-known/wot")).json()
        assert "deploy" in td["actions"]
        process.send_signal(number)
        code, _, err = await finish(process)
    assert (code, err) == (0, "") or ("ERROR" not in err and "Traceback" not in err), err


async def test_a_bad_setting_ends_it_with_one_sentence(free: list[str]) -> None:
    code, out, err = await finish(await start("run", "--host", "0.0.0.0", *free))
    assert (code, out) == (2, "")
    assert err.startswith("wasm-servient: ")
    assert "--insecure" in err


async def test_a_port_in_use_ends_it_with_one_sentence(free: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, _, err = await finish(await start("run", *free, "--port", port))
    assert code == 1
    assert port in err
    assert "Traceback" not in err


async def test_the_version_is_told() -> None:
    code, out, _ = await finish(await start("--version"))
    assert (code, out.strip()) == (0, "0.1.0")
