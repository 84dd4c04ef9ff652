"""The log as a program reads it: one JSON object per line, with no secret in it."""

import asyncio
import base64
import contextlib
import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from servient.security.secrets import hash_for_mosquitto, hash_password, hash_token
from servient.telemetry.log import JournalFormatter, JsonFormatter
from tests.files import FileServer
from tests.security.people import subprotocol
from tests.tools import needs

PATIENCE_SECONDS = 30.0
TRACE = "0af7651916cd43dd8448eb211c80319c"
TOKEN, WRONG = "right-hunter2-of-somebody", "wrong-hunter2-of-nobody"
URL_SECRET, ORCHESTRATOR_SECRET, CHAIN_SECRET = (
    "url-hunter2",
    "orchestrator-hunter2",
    "chain-hunter2",
)
SECRETS = (TOKEN, WRONG, URL_SECRET, ORCHESTRATOR_SECRET, CHAIN_SECRET)
SETTINGS = f"""
log_format = "json"
log_level = "debug"
bindings = ["http", "websocket", "mqtt"]
chain_tokens = {{ "http://127.0.0.1:9" = "{CHAIN_SECRET}" }}

[[principals]]
name = "ann"
scopes = ["admin"]
token_sha256 = "{hash_token(TOKEN)}"
api_key_sha256 = "{hash_token(TOKEN)}"
password_argon2 = "{hash_password(TOKEN)}"
mqtt_password = "{hash_for_mosquitto(TOKEN)}"
"""


class Running:
    """A servient in a process of its own, and its log when it has ended."""

    def __init__(self, addresses: dict[str, str], file: Path) -> None:
        self.addresses = addresses
        self._file = file

    def lines(self) -> list[str]:
        return self._file.read_text().splitlines()

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines()]


@contextlib.asynccontextmanager
async def run(folder: Path, *arguments: str, **environment: str) -> AsyncIterator[Running]:
    free = ("--port", "0", "--coap-port", "0", "--mqtt-port", "0", "--websocket-port", "0")
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "servient", "run", "--json", *free, *arguments),
            *("--instance-path", str(folder / "instance")),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={**os.environ, **environment},
        )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
        yield Running(json.loads(line), folder / "log")
        process.terminate()
        assert await asyncio.wait_for(process.wait(), PATIENCE_SECONDS) == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_each_line_is_an_object_that_says_what_it_is_about(
    tmp_path: Path, files: FileServer
) -> None:
    said = {"WASM_SERVIENT_LOG_FORMAT": "json", "WASM_SERVIENT_BINDINGS": "http"}
    async with (
        run(tmp_path, **said) as running,
        httpx.AsyncClient(base_url=running.addresses["http"]) as http,
    ):
        headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        manifest = files.manifest("fibonacci/manifest.json", deploymentId="f")
        (await http.post("/deploy", json=manifest, headers=headers)).raise_for_status()
        assert (await http.get("/nothing")).status_code == 404
    entries = running.entries()
    for entry in entries:
        assert {"time", "level", "logger", "message"} <= set(entry)
        assert entry["time"].endswith("Z")
    (deployed,) = [entry for entry in entries if entry["message"].startswith("deployed f")]
    assert deployed["level"] == "info"
    assert deployed["thing"] == "servient"
    assert deployed["invocation"].startswith("servient:deploy:")
    assert deployed["trace"] == TRACE
    (audited,) = [entry for entry in entries if entry["logger"] == "servient.audit"]
    assert "deploy 'f'" in audited["message"]
    assert any("GET /nothing" in entry["message"] for entry in entries)


async def test_journald_is_told_how_bad_it_is(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    status = (tmp_path / "log").stat()
    stream = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
    said = {"WASM_SERVIENT_BINDINGS": "http", "WASM_SERVIENT_LOG_LEVEL": "debug", **stream}
    async with (
        run(tmp_path, **said) as running,
        httpx.AsyncClient(base_url=running.addresses["http"]) as http,
    ):
        await http.get("/nothing")
    lines = running.lines()
    assert (
        "<6>INFO servient.bindings.http.application: GET /nothing: nothing is at /nothing" in lines
    )
    assert all(line[0] == "<" and line[2] == ">" for line in lines)


async def test_no_secret_is_logged_at_any_level(tmp_path: Path, files: FileServer) -> None:
    needs("mosquitto")
    needs("mosquitto_pub")
    (tmp_path / "servient.toml").write_text(SETTINGS)
    config = ("--config", str(tmp_path / "servient.toml"))
    async with run(tmp_path, *config) as running:
        for secret in (TOKEN, WRONG):
            await knock_over_http(running, secret, files)
            await knock_over_websockets(running, secret)
            await knock_over_mqtt(running, secret)
    log = "\n".join(running.lines())
    assert "deployed f" in log  # it was logged what was done
    for secret in SECRETS:
        for shown in (secret, quote(secret), base64.b64encode(secret.encode()).decode()[4:-4]):
            assert shown not in log
    assert running.entries()


async def knock_over_http(running: Running, secret: str, files: FileServer) -> None:
    basic = base64.b64encode(f"ann:{secret}".encode()).decode()
    shown = [{"Authorization": f"Bearer {secret}"}, {"Authorization": f"Basic {basic}"}]
    async with httpx.AsyncClient(base_url=running.addresses["http"], timeout=30) as http:
        for headers in (*shown, {"X-API-Key": secret}):
            await http.get("/things", headers=headers)
        manifest = files.manifest("fibonacci/manifest.json", deploymentId="f")
        await http.post("/deploy", json=manifest, headers=shown[0])
        host = files.origin.removeprefix("http://")
        elsewhere = json.dumps(manifest).replace(files.origin, f"http://ann:{URL_SECRET}@{host}/no")
        await http.post("/deploy", content=elsewhere, headers=shown[0])
        orchestrator = {"url": f"http://ann:{ORCHESTRATOR_SECRET}@127.0.0.1:9"}
        await http.post("/register", json=orchestrator, headers=shown[0])
        await http.post(
            "/things/f:fibonacci/actions/fibo", json={"iterations": 7}, headers=shown[0]
        )


async def knock_over_websockets(running: Running, secret: str) -> None:
    url = f"{running.addresses['websocket']}/things/servient"
    headers = {"Authorization": f"Bearer {secret}"}
    protocols = [Subprotocol("webthingprotocol"), Subprotocol(subprotocol(secret))]
    for shown in ({"additional_headers": headers}, {"subprotocols": protocols}):
        with contextlib.suppress(InvalidStatus):
            async with connect(url, **shown):
                pass


async def knock_over_mqtt(running: Running, secret: str) -> None:
    port = str(urlsplit(running.addresses["mqtt"]).port)
    asked = await asyncio.create_subprocess_exec(
        *("mosquitto_pub", "-p", port, "-u", "ann", "-P", secret, "-q", "1"),
        *("-t", "wasm-servient/servient/things/f:fibonacci/actions/fibo", "-m", "{}"),
        stderr=asyncio.subprocess.DEVNULL,
    )
    await asyncio.wait_for(asked.wait(), PATIENCE_SECONDS)


def test_whatever_is_logged_is_one_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        of = sys.exc_info()
    text = 'a\r\n{"level": "forged"}\u2028\0\udcff"' + "x" * 10**6
    record = logging.LogRecord("a.b", logging.ERROR, "", 0, "%s", (text,), of)
    line = JsonFormatter().format(record)
    assert len(line.splitlines()) == 1
    assert len(line) < 200_000
    entry = json.loads(line.encode())
    assert entry["message"].startswith('a\r\n{"level": "forged"}')
    assert entry["exception"].endswith("ValueError: two\nlines")
    assert {"invocation", "thing", "trace"}.isdisjoint(entry)
    prefixed = JournalFormatter(logging.Formatter("%(message)s")).format(record)
    assert all(each.startswith("<3>") for each in prefixed.split("\n"))
