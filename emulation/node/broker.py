"""An MQTT broker for the networks that it is in: mosquitto, else amqtt."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from emulation.errors import EmulationError

START_SECONDS = 10.0
POLL_SECONDS = 0.02
# `user root`: it is not to become anybody else, whom a user namespace does not have.
CONFIG = """\
user root
listener {port} 0.0.0.0
allow_anonymous true
set_tcp_nodelay true
persistence false
max_queued_messages 10000
log_dest stderr
log_type error
log_type warning
"""


class NoBroker(EmulationError):
    """No broker could be started."""


def find_mosquitto() -> str | None:
    """Distributions put it in a folder that is not on everybody's path."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


async def run_broker(port: int, folder: Path, ready: Callable[[], None]) -> None:
    """Serve MQTT on a port until cancelled; `ready` is called when it is. Raises NoBroker."""
    program = find_mosquitto()
    if program is None:
        raise NoBroker("mosquitto is not installed")
    config = folder / "mosquitto.conf"
    config.write_text(CONFIG.format(port=port))
    process = await asyncio.create_subprocess_exec(program, "-c", str(config))
    try:
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None and not await _accepts(port):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(POLL_SECONDS)
        if process.returncode is None:
            ready()
        raise NoBroker(f"mosquitto ended with status {await process.wait()}")
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
