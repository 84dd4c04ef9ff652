"""A mosquitto process of our own: started when needed, restarted when it dies, gone with us."""

import asyncio
import logging
import os
import pwd
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from servient.mqtt.errors import BrokerUnreachable

logger = logging.getLogger(__name__)

LAUNCHER = Path(__file__).with_name("launcher.py")
START_SECONDS = 10.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.01
RESTART_PAUSE_SECONDS = 0.1
# One that ended so often, each time within that time, is not started again.
FAILURES_LIMIT = 8
STABLE_SECONDS = 60.0

# Without set_tcp_nodelay every message is 40 ms late; loopback only, so no passwords.
CONFIG = """\
listener {port} {host}
allow_anonymous true
set_tcp_nodelay true
persistence false
max_inflight_messages 0
max_queued_messages 10000
max_packet_size {message_limit_bytes}
log_dest stderr
log_type error
"""


def find_mosquitto() -> str | None:
    """Where mosquitto is; distributions put it in a folder that is not on everybody's path."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Mosquitto:
    """`process_id` is that of the running one; `restarts` counts how often it was started again."""

    version = 5

    def __init__(self, program: str, host: str, port: int, message_limit_bytes: int) -> None:
        self._program = program
        self._host = host
        self._port = port
        self._message_limit_bytes = message_limit_bytes
        self._config: int | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self.restarts = 0

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Raises BrokerUnreachable, with what mosquitto said."""
        self._config = self._write_config()
        try:
            process = await self._launch(self._config)
        except BaseException:
            await self.stop()
            raise
        watch = self._watch_over(process, self._config)
        self._watch = asyncio.create_task(watch, name="mosquitto watch")

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        if self._process is not None:
            await _end(self._process)
            self._process = None
        if self._config is not None:
            os.close(self._config)
            self._config = None

    def _write_config(self) -> int:
        """A file without a name, which whoever mosquitto runs as can read and nobody else finds."""
        config = os.memfd_create("mosquitto.conf")
        text = CONFIG.format(
            host=self._host, port=self._port, message_limit_bytes=self._message_limit_bytes
        )
        os.write(config, text.encode())
        return config

    async def _launch(self, config: int) -> asyncio.subprocess.Process:
        """A mosquitto that accepts connections."""
        user, group = _user()
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", str(LAUNCHER), str(os.getpid()), str(user), str(group)),
            *(self._program, "-c", f"/dev/fd/{config}"),
            pass_fds=[config],
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

    async def _watch_over(self, process: asyncio.subprocess.Process, config: int) -> None:
        loop, failures = asyncio.get_running_loop(), 0
        while failures < FAILURES_LIMIT:
            began = loop.time()
            await _log_until_it_ends(process)
            logger.error("mosquitto ended with status %s", process.returncode)
            failures = 0 if loop.time() - began > STABLE_SECONDS else failures + 1
            await asyncio.sleep(RESTART_PAUSE_SECONDS * 2**failures)
            try:
                process = await self._launch(config)
            except (OSError, TimeoutError):
                logger.exception("mosquitto could not be started again")
            else:
                self.restarts += 1
        logger.error("mosquitto ended %d times in a row; it is left so", failures)

    async def _accepts(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True


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
