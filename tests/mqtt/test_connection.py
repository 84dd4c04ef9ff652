"""Connections to brokers that behave and to brokers that do not."""

import asyncio
from collections.abc import AsyncIterator

import psutil
import pytest

from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.mqtt.connection import WINDOW, Connection, connect
from servient.mqtt.errors import BrokerRefused, BrokerUnreachable, ConnectionLost
from servient.mqtt.message import Broker, Message
from servient.mqtt.probe import find_version
from tests.mqtt.broker import ACCEPTED_3, ACCEPTED_5, read_packet, scripted
from tests.tools import needs

DEADLINE_SECONDS = 20.0


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    needs("mosquitto")
    async with EmbeddedBroker(prefer="mosquitto", message_limit_bytes=100_000) as running:
        yield Broker(running.host, running.port)


async def test_what_is_sent_is_acknowledged_and_comes_back(broker: Broker) -> None:
    received: asyncio.Queue[Message] = asyncio.Queue()
    connection = await connect(broker, received.put_nowait)
    assert connection.version == 5
    await connection.subscribe("a/#")
    sent = Message("a/b", b"1", 1, False, "text/plain", "c/d", b"\x00")
    await connection.send(sent)
    assert await asyncio.wait_for(received.get(), DEADLINE_SECONDS) == sent
    await connection.unsubscribe("a/#")
    await connection.send(sent)
    await connection.close()
    assert received.empty()
    assert await connection.lost


async def test_our_own_messages_need_not_come_back(broker: Broker) -> None:
    received: list[Message] = []
    connection = await connect(broker, received.append)
    await connection.subscribe("a", is_own_heard=False)
    await connection.subscribe("b")
    await connection.send(Message("a"))
    await connection.send(Message("b"))
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not received:
            await asyncio.sleep(0.01)
    assert [message.topic for message in received] == ["b"]
    await connection.close()


async def test_more_than_the_window_goes_out_in_order(broker: Broker) -> None:
    received: asyncio.Queue[Message] = asyncio.Queue()
    connection = await connect(broker, received.put_nowait)
    await connection.subscribe("n")
    numbers = range(5 * WINDOW)
    await asyncio.gather(*(connection.send(Message("n", b"%d" % number)) for number in numbers))
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert [int((await received.get()).payload) for _ in numbers] == list(numbers)
    await connection.close()


async def test_what_mqtt_has_no_room_for_is_refused_here(broker: Broker) -> None:
    """A broker would end the connection over it."""
    connection = await connect(broker, lambda _: None)
    for message in (
        Message("a" * 70_000),
        Message("a/+"),
        Message(""),
        Message("a", b"x" * 100_001),
    ):
        with pytest.raises(BrokerRefused, match="cannot be published"):
            await connection.send(message)
    await connection.send(Message("a", b"x" * 90_000))
    await connection.close()


async def test_a_lost_connection_fails_what_is_under_way(broker: Broker) -> None:
    connection = await connect(broker, lambda _: None)
    waiting = [connection.send(Message("a", b"x")) for _ in range(2 * WINDOW)]
    connection.abort("pulled")
    assert await connection.lost == "pulled"
    for future in waiting:
        with pytest.raises(ConnectionLost, match="pulled"):
            await future
    with pytest.raises(ConnectionLost):
        await connection.send(Message("a"))
    with pytest.raises(ConnectionLost):
        await connection.subscribe("a")
    await connection.close()


async def test_a_fault_of_ours_does_not_end_the_connection(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    received: asyncio.Queue[Message] = asyncio.Queue()

    def receive(message: Message) -> None:
        received.put_nowait(message)
        raise LookupError("a bug")

    connection = await connect(broker, receive)
    await connection.subscribe("a")
    for _ in range(2):
        await connection.send(Message("a"))
        await asyncio.wait_for(received.get(), DEADLINE_SECONDS)
    await connection.close()
    assert "a bug" in caplog.text


async def test_nobody_at_the_address() -> None:
    with pytest.raises(BrokerUnreachable, match=r"127\.0\.0\.1:1 cannot be reached"):
        await connect(Broker("127.0.0.1", 1), lambda _: None)
    with pytest.raises(BrokerUnreachable, match=r"nowhere\.invalid"):
        await connect(Broker("nowhere.invalid", 1), lambda _: None)


async def test_a_broker_that_refuses_says_why() -> None:
    packets: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        packets.append(await read_packet(reader))
        writer.write(b"\x20\x03\x00\x87\x00")

    async with scripted(refuse) as broker:
        assert await find_version(broker) == 5
        with pytest.raises(BrokerRefused, match="Not authorized"):
            await connect(Broker(broker.host, broker.port, "user", "secret"), lambda _: None)
    assert [b"\x00\x04user\x00\x06secret" in packet for packet in packets] == [False, False, True]
    assert "secret" not in repr(Broker("h", 1, "user", "secret"))


@pytest.mark.parametrize("answer", [b"\x20\x02\x00\x01", b""])
async def test_a_broker_of_3_1_1_is_asked_in_its_own_version(answer: bytes) -> None:
    """It answers MQTT 5 with a refusal, or closes the connection."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version = (await read_packet(reader))[8]
        writer.write(ACCEPTED_3 if version == 4 else answer)
        if version == 4:
            await reader.read()

    async with scripted(behave) as broker:
        connection = await connect(broker, lambda _: None)
        assert connection.version == 4
        await connection.close()


@pytest.mark.parametrize(
    "garbage",
    [b"\x00" * 50, b"\xff" * 50, b"\x30\x03\x00\xff\x00", b"HTTP/1.1 400 Bad Request\r\n\r\n"],
)
async def test_a_broker_that_sends_garbage_loses_the_connection(garbage: bytes) -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(ACCEPTED_5)
        await asyncio.sleep(0.05)
        writer.write(garbage)

    async with scripted(behave) as broker:
        connection = await connect(broker, lambda _: None)
        await asyncio.wait_for(connection.lost, DEADLINE_SECONDS)
        await connection.close()


async def test_a_broker_that_says_nothing_is_not_waited_for_forever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("servient.mqtt.connection.CONNECT_SECONDS", 0.3)
    files = psutil.Process().num_fds()

    async def behave(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with scripted(behave) as broker:
        with pytest.raises(BrokerUnreachable, match="did not answer in time"):
            await connect(broker, lambda _: None)
    await asyncio.sleep(0.05)
    assert psutil.Process().num_fds() <= files


async def test_a_smaller_window_of_the_broker_is_kept() -> None:
    """A broker ends the connection of a client that sends more (MQTT 5 section 3.3.4)."""
    counted: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    go_on = asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(b"\x20\x06\x00\x00\x03\x21\x00\x02")  # Receive Maximum 2
        first = [await read_packet(reader) for _ in range(2)]
        await asyncio.sleep(0.05)
        counted.set_result(len(first) + len(reader._buffer))  # type: ignore[attr-defined]
        await go_on.wait()
        for packet in first:
            writer.write(b"\x40\x02" + packet[5:7])
        last = await read_packet(reader)
        writer.write(b"\x40\x02" + last[5:7])
        await reader.read()

    async with scripted(behave) as broker:
        connection = Connection(broker, lambda _: None, 5)
        await connection.open(None, 1000)
        assert connection.window == 2
        futures = [connection.send(Message("a")) for _ in range(3)]
        assert await asyncio.wait_for(counted, DEADLINE_SECONDS) == 2
        go_on.set()
        await asyncio.wait_for(asyncio.gather(*futures), DEADLINE_SECONDS)
        await connection.close()


async def test_a_refused_message_is_told() -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(ACCEPTED_5)
        packet = await read_packet(reader)
        writer.write(b"\x40\x03" + packet[5:7] + b"\x87")
        packet = await read_packet(reader)
        writer.write(b"\x90\x04" + packet[2:4] + b"\x00\x87")
        await reader.read()

    async with scripted(behave) as broker:
        connection = Connection(broker, lambda _: None, 5)
        await connection.open(None, 1000)
        with pytest.raises(BrokerRefused, match="Not authorized"):
            await connection.send(Message("a"))
        with pytest.raises(BrokerRefused, match="Not authorized"):
            await connection.subscribe("a")
        await connection.close()
