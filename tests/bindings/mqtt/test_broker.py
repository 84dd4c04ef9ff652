"""The private broker: it comes up, comes back, and goes with the servient."""

import asyncio
import os
import signal
import socket
import sys

import psutil
import pytest

from servient.bindings.mqtt.broker import EmbeddedBroker, Kind
from servient.mqtt.errors import BrokerUnreachable
from servient.mqtt.message import Broker
from servient.mqtt.probe import find_version
from tests.consumers.paho import PahoClient
from tests.tools import needs

PATIENCE_SECONDS = 20.0

PARENT = """
import asyncio
from servient.bindings.mqtt.broker import EmbeddedBroker

async def main():
    async with EmbeddedBroker(prefer="mosquitto") as broker:
        print(broker.process_id, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_it_carries_messages(broker: EmbeddedBroker, kind: Kind) -> None:
    assert (broker.kind, broker.version) == (kind, {"mosquitto": 5, "amqtt": 4}[kind])
    assert await find_version(Broker(broker.host, broker.port)) == broker.version
    async with (
        PahoClient(broker.host, broker.port, broker.version) as client,
        client.listening("a/+") as messages,
    ):
        await client.publish("a/b", b"\x00\xff" * 50_000)
        message = await asyncio.wait_for(messages.get(), PATIENCE_SECONDS)
        assert (message.topic, message.payload) == ("a/b", b"\x00\xff" * 50_000)


async def test_it_listens_on_loopback_only(broker: EmbeddedBroker) -> None:
    owner = psutil.Process(broker.process_id or os.getpid())
    listening = {
        connection.laddr
        for connection in owner.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", broker.port)}


async def test_a_taken_port_is_left_alone(kind: Kind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        async with EmbeddedBroker(port=taken, prefer=kind) as broker:
            assert broker.port not in (0, taken)
            assert await find_version(Broker(broker.host, broker.port)) == broker.version


async def test_an_address_of_somebody_else_is_refused(kind: Kind) -> None:
    with pytest.raises(BrokerUnreachable, match=r"192\.0\.2\.1"):
        await EmbeddedBroker("192.0.2.1", prefer=kind).__aenter__()


async def test_nothing_of_it_is_left(kind: Kind) -> None:
    us = psutil.Process()
    tasks, files = asyncio.all_tasks(), us.num_fds()
    async with EmbeddedBroker(prefer=kind) as broker:
        process_id = broker.process_id
    assert asyncio.all_tasks() == tasks
    assert us.num_fds() == files
    assert process_id is None or not psutil.pid_exists(process_id)
    with pytest.raises(BrokerUnreachable):
        await find_version(Broker(broker.host, broker.port))


async def test_mosquitto_that_dies_is_started_again(mosquitto: EmbeddedBroker) -> None:
    first = mosquitto.process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while mosquitto.process_id == first:
            await asyncio.sleep(0.01)
        while True:
            try:
                assert await find_version(Broker(mosquitto.host, mosquitto.port)) == 5
            except BrokerUnreachable:
                await asyncio.sleep(0.01)
            else:
                break


async def test_mosquitto_ends_with_a_servient_that_is_killed() -> None:
    needs("mosquitto")
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    line = await asyncio.wait_for(parent.stdout.readline(), PATIENCE_SECONDS)
    broker = psutil.Process(int(line))
    assert broker.name() == "mosquitto"
    if os.geteuid() == 0:
        assert broker.username() != "root"
    parent.kill()
    await parent.wait()
    await asyncio.to_thread(psutil.wait_procs, [broker], PATIENCE_SECONDS)
    assert not broker.is_running()
