"""A mosquitto process of our own: started when needed, restarted when it dies, gone with us."""

import asyncio
import logging
import os
import pwd
import shutil
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from servient.bindings.mqtt.doorkeeper import Doorkeeper
from servient.mqtt.errors import BrokerUnreachable
from servient.wot.description import Description

logger = logging.getLogger(__name__)

LAUNCHER = Path(__file__).with_name("launcher.py")
START_SECONDS = 10.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.01
RESTART_PAUSE_SECONDS = 0.1
# After so many short lives the pause gets no longer, which is half a minute then. It is never given up:
# nobody else would start it.
FAILURES_LIMIT = 8
STABLE_SECONDS = 60.0

# Without set_tcp_nodelay every message is 40 ms late.
CONFIG = """\
listener {port} {host}
{admission}
set_tcp_nodelay true
persistence false
max_inflight_messages 0
max_queued_messages 10000
max_packet_size {message_limit_bytes}
log_dest stderr
log_type error
"""
# Who comes: everybody, where that is who is on this machine, or who is in these files.
OPEN = "allow_anonymous true"
GUARDED = """\
allow_anonymous false
password_file /dev/fd/{passwords}
acl_file /dev/fd/{access_list}"""


def find_mosquitto() -> str | None:
    """Where mosquitto is; distributions put it in a folder that is not on everybody's path."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Mosquitto:
    """`process_id` is that of the running one; `restarts` counts how often it was started again."""

    version = 5

    def __init__(
        self,
        program: str,
        host: str,
        port: int,
        message_limit_bytes: int,
        doorkeeper: Doorkeeper | None = None,
    ) -> None:
        self._program = program
        self._host = host
        self._port = port
        self._message_limit_bytes = message_limit_bytes
        self._doorkeeper = doorkeeper
        self._files: dict[str, int] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self.restarts = 0

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Raises BrokerUnreachable, with what mosquitto said."""
        try:
            self._write_files()
            process = await self._launch()
        except BaseException:
            await self.stop()
            raise
        watch = self._watch_over(process)
        self._watch = asyncio.create_task(watch, name="mosquitto watch")

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        if self._process is not None:
            await _end(self._process)
            self._process = None
        files, self._files = self._files, {}
        for file in files.values():
            os.close(file)

    def admit(self, things: Iterable[Description]) -> str:
        """Let members have to do with these Things alone; returns the topic that says that it is so."""
        if self._doorkeeper is None or "access_list" not in self._files:
            raise BrokerUnreachable("the broker is not one that knows who may do what")
        _write(self._files["access_list"], self._doorkeeper.access_list(things))
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGHUP)
        return self._doorkeeper.mark

    def _write_files(self) -> None:
        """Files without names, which whoever mosquitto runs as can read and nobody else finds."""
        admission = OPEN
        if self._doorkeeper is not None:
            self._make_file("passwords", self._doorkeeper.passwords())
            self._make_file("access_list", self._doorkeeper.access_list(()))
            admission = GUARDED.format(**self._files)
        text = CONFIG.format(
            host=self._host,
            port=self._port,
            admission=admission,
            message_limit_bytes=self._message_limit_bytes,
        )
        self._make_file("config", text)

    def _make_file(self, name: str, text: str) -> None:
        self._files[name] = os.memfd_create(f"mosquitto-{name}")
        _write(self._files[name], text)

    async def _launch(self) -> asyncio.subprocess.Process:
        """A mosquitto that accepts connections."""
        user, group = _user()
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", str(LAUNCHER), str(os.getpid()), str(user), str(group)),
            *(self._program, "-c", f"/dev/fd/{self._files['config']}"),
            pass_fds=list(self._files.values()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                # It tells nobody when it is ready.
                while process.returncode is None and not await self._accepts():  # noqa: ASYNC110
                    await asyncio.sleep(POLL_SECONDS)
        except BaseException:
            await _end(process)
            raise
        if process.returncode is not None:
            assert process.stderr is not None  # noqa: S101 - a pipe
            said = (await process.stderr.read(1000)).decode(errors="replace").strip()
            raise BrokerUnreachable(f"{self._program} did not start: {said or process.returncode}")
        return process

    async def _watch_over(self, process: asyncio.subprocess.Process) -> None:
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            await _log_until_it_ends(process)
            logger.error("mosquitto ended with status %s", process.returncode)
            failures = (
                0 if loop.time() - began > STABLE_SECONDS else min(failures + 1, FAILURES_LIMIT)
            )
            await asyncio.sleep(RESTART_PAUSE_SECONDS * 2**failures)
            try:
                process = await self._launch()
            except (OSError, TimeoutError):
                logger.exception("mosquitto could not be started again")
            else:
                self.restarts += 1

    async def _accepts(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True


def _write(file: int, text: str) -> None:
    """All of a file anew, in one call: it may be read at any time."""
    os.pwrite(file, text.encode(), 0)
    os.ftruncate(file, len(text.encode()))


async def _log_until_it_ends(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None  # noqa: S101 - a pipe
    while said := await process.stderr.read(4096):
        logger.warning("mosquitto: %s", said.decode(errors="replace").strip())
    await process.wait()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the process that we started, by its id."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _user() -> tuple[int, int]:
    """Whom mosquitto runs as when we are root, who would otherwise be replaced by itself; else 0."""
    if os.geteuid() != 0:
        return 0, 0
    for name in ("mosquitto", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    return 0, 0
