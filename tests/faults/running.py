"""A servient in a process and, where wanted, in a file system of its own."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.files import FileServer

PATIENCE_SECONDS = 60.0
# A user namespace, so that nobody has to be root, and a mount namespace that ends with the process.
OWN_MOUNTS = ("unshare", "--map-root-user", "--mount")
COUNT = "/things/c:counter/actions/increment"


@dataclass(frozen=True, slots=True)
class Servient:
    process: asyncio.subprocess.Process
    addresses: dict[str, str]
    http: httpx.AsyncClient
    log: Path
    folder: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def inside(self) -> Path:
        """Its folder as it sees it."""
        return Path(f"/proc/{self.pid}/root") / self.folder.relative_to("/")

    def mount(self, *arguments: str) -> None:
        target = ("nsenter", "--target", str(self.pid), "--user", "--mount")
        subprocess.run([*target, "mount", *arguments], check=True, capture_output=True)

    async def deploy(self, files: FileServer, name: str = "c", **changes: Any) -> httpx.Response:
        manifest = files.manifest("counter/manifest.json", deploymentId=name, **changes)
        return await self.http.post("/deploy", json=manifest)

    async def count(self) -> httpx.Response:
        return await self.http.post(COUNT)

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)


@contextlib.asynccontextmanager
async def servient(
    folder: Path, *, mounts: str = "", bindings: str = "http", **environment: str
) -> AsyncIterator[Servient]:
    """`mounts` are commands of a shell, run in a mount namespace before the servient is."""
    log = folder / "log"
    instance = folder / "instance"
    instance.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-m", "servient", "run", "--json", "--bindings", bindings),
        *("--port", "0", "--mqtt-port", "0", "--instance-path", str(instance)),
    ]
    if mounts:
        command = [*OWN_MOUNTS, "sh", "-c", f'{mounts} && exec "$@"', "sh", *command]
    with log.open("ab") as stream:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=stream,
            env={**os.environ, **environment},
        )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
        if not line:
            raise RuntimeError(log.read_text())
        addresses = json.loads(line)
        async with httpx.AsyncClient(base_url=addresses["http"], timeout=PATIENCE_SECONDS) as http:
            yield Servient(process, addresses, http, log, instance)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def needs_namespaces() -> None:
    """Skips the test where mounting is not possible, as in most containers."""
    try:
        command = [*OWN_MOUNTS, "mount", "-t", "tmpfs", "none", "/mnt"]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no namespaces here: {error}")


def limit(running: Servient, resource: int, value: int) -> int:
    """A lower limit for a servient that runs; returns the earlier one."""
    process = psutil.Process(running.pid)
    soft, hard = process.rlimit(resource)
    process.rlimit(resource, (value, hard))
    return soft
