"""An MQTT broker for the networks that it is in: mosquitto, else amqtt in this process."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from emulation.errors import EmulationError
from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.bindings.mqtt.mosquitto import find_mosquitto

START_SECONDS = 10.0
POLL_SECONDS = 0.02
# `user root`: it is not to become anybody else, whom a user namespace does not have.
CONFIG = """\
user root
listener {port} {address}
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


async def run_broker(
    address: str, port: int, folder: Path, ready: Callable[[], None], program: str | None = None
) -> None:
    """Serve MQTT on an address until cancelled; `ready` is called when it is. Raises NoBroker.

    `program` is mosquitto's; by default where it is found. amqtt speaks MQTT 3.1.1 only.
    """
    program = find_mosquitto() if program is None else program
    if program:
        await _run_mosquitto(program, address, port, folder, ready)
        return
    async with EmbeddedBroker(address, port, prefer="amqtt") as broker:
        if broker.port != port:
            raise NoBroker(f"port {port} of {address} is taken")
        ready()
        await asyncio.Event().wait()


async def _run_mosquitto(
    program: str, address: str, port: int, folder: Path, ready: Callable[[], None]
) -> None:
    config = folder / "mosquitto.conf"
    config.write_text(CONFIG.format(port=port, address=address))
    process = await asyncio.create_subprocess_exec(program, "-c", str(config))
    try:
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None and not await _accepts(address, port):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(POLL_SECONDS)
        if process.returncode is None:
            ready()
        raise NoBroker(f"mosquitto ended with status {await process.wait()}")
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _accepts(address: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(address, port)
    except OSError:
        return False
    writer.close()
    return True
