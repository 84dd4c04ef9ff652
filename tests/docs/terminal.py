"""A reader's terminals: one shell for what is typed, and programs that stay in others."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.docs.pages import ROOT
from tests.docs.places import Places

PATIENCE_SECONDS = 60.0
LINE_LIMIT_BYTES = 16 * 2**20
END = "--end-of-command-"


class CommandFailed(AssertionError):
    """What a page says to type does not work."""


class Terminal:
    """One bash, so that variables and folders stay from block to block."""

    def __init__(self, folder: Path, places: Places) -> None:
        self._folder = folder
        self._environment = _environment(folder, places)
        self._shell: Process
        self._stayed: list[tuple[str, Process, Path]] = []
        self._settings = folder / ".variables"

    async def __aenter__(self) -> Self:
        self._shell = await asyncio.create_subprocess_exec(
            *("bash", "--noprofile", "--norc"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            cwd=self._folder,
            env=self._environment,
            start_new_session=True,
            limit=LINE_LIMIT_BYTES,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for typed, *_ in reversed(self._stayed.copy()):
            await self.interrupt(typed)
        if self._shell.returncode is None:
            os.killpg(self._shell.pid, signal.SIGKILL)
        await self._shell.communicate()

    async def type(self, commands: str) -> tuple[int, str]:
        """The exit code of the last one, and what all print. Raises CommandFailed."""
        assert self._shell.stdin is not None
        self._shell.stdin.write(
            f"{{\n{commands}\n}} </dev/null\nprintf '\\n{END}%s\\n' \"$?\"\n".encode()
        )
        printed: list[str] = []
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._read(printed), "".join(printed)
        except TimeoutError as error:
            raise CommandFailed(f"does not end:\n{commands}\n{''.join(printed)}") from error

    async def _read(self, printed: list[str]) -> int:
        assert self._shell.stdout is not None
        while line := (await self._shell.stdout.readline()).decode():
            if line.startswith(END):
                return int(line.removeprefix(END))
            printed.append(line)
        return await self._shell.wait() or 1

    async def stay(self, command: str, saying: str) -> None:
        """Start a program in a terminal of its own, with this one's variables and folder."""
        await self.type(
            f'{{ declare -p; printf "cd %q\\n" "$PWD"; }} > {self._settings} 2>/dev/null'
        )
        log = self._folder / f".stayed-{len(self._stayed)}"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *("bash", "-c", f". {self._settings} 2>/dev/null\nexec env {command}"),
                stdin=DEVNULL,
                stdout=out,
                stderr=STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        self._stayed.append((command, process, log))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while saying not in log.read_text():
                    if process.returncode is not None:
                        raise CommandFailed(f"ended:\n{command}\n{log.read_text()}")
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise CommandFailed(f"never says {saying!r}:\n{command}\n{log.read_text()}") from error

    async def interrupt(self, beginning: str) -> None:
        """As Ctrl-C in the terminal of the last program that begins so."""
        found = next(each for each in reversed(self._stayed) if each[0].startswith(beginning))
        self._stayed.remove(found)
        command, process, log = found
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
        except TimeoutError as error:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            raise CommandFailed(f"cannot be interrupted:\n{command}\n{log.read_text()}") from error


def _environment(folder: Path, places: Places) -> Mapping[str, str]:
    """The reader's, with this project's programs, and the ports of this test where pages name none."""
    kept = {name: each for name, each in os.environ.items() if not name.startswith("WASM")}
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    clients = folder / ".config"
    clients.mkdir()
    for name in ("mosquitto_pub", "mosquitto_sub", "mosquitto_rr"):
        # mosquitto_sub(1), "Options": defaults of the clients are files of their names.
        (clients / name).write_text(f"-p {places.port(1883)}\n")
    # curl(1): on a reader's terminal it shows no progress, either.
    (clients / ".curlrc").write_text("silent\nshow-error\n")
    return kept | {
        "PATH": programs,
        "XDG_CONFIG_HOME": str(clients),
        "CURL_HOME": str(clients),
        "NODE_PATH": str(ROOT / "tests/interop/node_modules"),
        "WASM_SERVIENT_PORT": places.port(5000),
        "WASM_SERVIENT_URL": f"http://127.0.0.1:{places.port(5000)}",
        "WASM_SERVIENT_COAP_PORT": places.port(5683),
        "WASM_SERVIENT_MQTT_PORT": places.port(1883),
        "PYTHONUNBUFFERED": "1",  # as on a terminal
        "NO_COLOR": "1",
        "TERM": "dumb",
        "COLUMNS": "100",
    }
