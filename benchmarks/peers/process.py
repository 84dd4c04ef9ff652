"""A server in a process of its own: until it says that it is ready, what it uses, until it is ended."""

import contextlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

from benchmarks.peers.ports import wait_for

READY_SECONDS = 60.0
END_SECONDS = 10.0
# What would change a servient under test, or a peer, without anybody having said so.
_SETTINGS = ("WASM_SERVIENT_", "WASMIOT_", "SUPERVISOR_", "FLASK_", "INSTANCE_PATH", "PORT")


class Process:
    """`said` is the first line of its output."""

    def __init__(self, name: str, process: psutil.Popen, said: str) -> None:
        self.name = name
        self.said = said
        self._process = process

    @property
    def cpu_seconds(self) -> float:
        """Of the process and its children, since their beginning."""
        times = [each.cpu_times() for each in self._all()]
        return sum(each.user + each.system for each in times)

    @property
    def memory_bytes(self) -> int:
        """What the process and its children have in memory (RSS)."""
        return sum(each.memory_info().rss for each in self._all())

    @property
    def peak_memory_bytes(self) -> int:
        """The most that each of them ever had in memory, added up."""
        return sum(_peak_bytes(each.pid) for each in self._all())

    def _all(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]


@contextlib.contextmanager
def running(
    name: str, command: Sequence[str], cwd: Path | None = None, port: int | None = None
) -> Iterator[Process]:
    """A program that prints a line when it is ready, or else listens on the port that is given.

    Raises RuntimeError with what it said when it does not become ready.
    """
    with tempfile.TemporaryFile("w+") as errors:
        process = psutil.Popen(
            command, cwd=cwd, env=_bare(), stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            said = _first_line(process) if port is None else _listens(port)
            if not said:
                errors.seek(0)
                raise RuntimeError(f"{name} did not start: {errors.read()[-2000:]}")
            yield Process(name, process, said)
        finally:
            _end(process)


def _first_line(process: psutil.Popen) -> str:
    output: IO[str] = process.stdout
    with contextlib.closing(_Alarm(process)):
        return output.readline().strip()


def _listens(port: int) -> str:
    try:
        wait_for(port, READY_SECONDS)
    except TimeoutError:
        return ""
    return f"listens on port {port}"


class _Alarm:
    """Ends a process that is not ready in time, so that reading from it comes to an end."""

    def __init__(self, process: psutil.Popen) -> None:
        self._timer = threading.Timer(READY_SECONDS, process.kill)
        self._timer.start()

    def close(self) -> None:
        self._timer.cancel()


def _end(process: psutil.Popen) -> None:
    children = process.children(recursive=True) if process.is_running() else []
    process.terminate()
    with contextlib.suppress(psutil.TimeoutExpired, subprocess.TimeoutExpired):
        process.wait(END_SECONDS)
    for each in (process, *children):
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()


def _peak_bytes(pid: int) -> int:
    """proc(5): VmHWM."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _bare() -> Mapping[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith(_SETTINGS)}
