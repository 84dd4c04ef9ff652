"""Which MQTT client serves requests best on asyncio: round trips per second and CPU for each.

Every candidate is a responder in a process of its own: it answers each message on the Response
Topic with the Correlation Data of the request, as the MQTT binding does. One lean generator, the
same for all, keeps N requests under way over one mosquitto. Candidates that are not installed are
skipped; give another interpreter with `--python` to try those that the project does not need.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module as module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent
REQUEST, RESPONSE = "bench/request", "bench/response"
QOS = 1

# Responders: each connects, subscribes, and answers until it is ended.


async def servient(port: int) -> None:
    """What the project uses: paho-mqtt on the event loop, without its thread."""
    library, messages = module("servient.mqtt.connection"), module("servient.mqtt.message")
    tasks: set[asyncio.Task[None]] = set()

    async def answer(message: Any) -> None:
        topic, correlation = message.response_topic, message.correlation
        answered = messages.Message(topic, message.payload, QOS, correlation=correlation)
        await connection.send(answered)

    connection = await library.connect(
        messages.Broker("127.0.0.1", port), lambda message: _keep(tasks, answer(message))
    )
    await connection.subscribe(REQUEST)
    await connection.lost


async def aiomqtt(port: int) -> None:
    library, properties = module("aiomqtt"), module("paho.mqtt.properties")
    nodelay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    version = library.ProtocolVersion.V5
    async with library.Client(
        "127.0.0.1", port, protocol=version, socket_options=nodelay
    ) as client:
        client.pending_calls_threshold = 1000

        async def answer(message: Any) -> None:
            named = properties.Properties(3)  # of a PUBLISH
            named.CorrelationData = message.properties.CorrelationData
            topic = message.properties.ResponseTopic
            await client.publish(topic, message.payload, QOS, properties=named)

        tasks: set[asyncio.Task[None]] = set()
        await client.subscribe(REQUEST, QOS)
        async for message in client.messages:
            _keep(tasks, answer(message))


async def gmqtt(port: int) -> None:
    client = module("gmqtt").Client("bench-responder")

    async def answer(payload: bytes, properties: dict[str, Any]) -> None:
        [topic], [correlation] = properties["response_topic"], properties["correlation_data"]
        client.publish(topic, payload, QOS, correlation_data=correlation)

    tasks: set[asyncio.Task[None]] = set()

    def on_message(_c: Any, _t: str, payload: bytes, _q: int, properties: dict[str, Any]) -> int:
        _keep(tasks, answer(payload, properties))
        return 0

    client.on_message = on_message
    await client.connect("127.0.0.1", port)
    client.subscribe(REQUEST, QOS)
    await asyncio.Event().wait()


async def zmqtt(port: int) -> None:
    library = module("zmqtt")
    qos = library.QoS(QOS)
    async with library.create_client("127.0.0.1", port, version="5.0") as client:

        async def answer(message: Any) -> None:
            correlation = message.properties.correlation_data
            properties = library.PublishProperties(correlation_data=correlation)
            topic = message.properties.response_topic
            await client.publish(topic, message.payload, qos=qos, properties=properties)

        tasks: set[asyncio.Task[None]] = set()
        async with client.subscribe(REQUEST, qos=qos) as messages:
            async for message in messages:
                _keep(tasks, answer(message))


async def ohmqtt(port: int) -> None:
    """Its own thread, bridged to the event loop where handlers live."""
    library = module("ohmqtt")
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()
    with library.Client() as client:

        async def answer(message: Any) -> None:
            correlation = message.properties.CorrelationData
            properties = library.MQTTPublishProps(CorrelationData=correlation)
            topic = message.properties.ResponseTopic
            client.publish(topic, message.payload, qos=QOS, properties=properties)

        def on_message(_client: Any, message: Any) -> None:
            loop.call_soon_threadsafe(lambda: _keep(tasks, answer(message)))

        client.connect(f"mqtt://127.0.0.1:{port}")
        client.wait_for_connect(5)
        client.subscribe(REQUEST, on_message, QOS)
        await asyncio.Event().wait()


async def amqtt(port: int) -> None:
    """MQTT 3.1.1 only: the answer's topic is agreed beforehand, correlation is in the payload."""
    client = module("amqtt.client").MQTTClient(config={"keep_alive": 60, "auto_reconnect": False})
    await client.connect(f"mqtt://127.0.0.1:{port}/")
    await client.subscribe([(REQUEST, QOS)])
    tasks: set[asyncio.Task[None]] = set()

    async def answer(payload: bytes) -> None:
        await client.publish(RESPONSE, payload, qos=QOS)

    while True:
        message = await client.deliver_message()
        _keep(tasks, answer(bytes(message.data)))


# Read in their sources, and tried with a broker that went away and came back.
FACTS = {
    "servient": "5, 3.1.1; PUBACK is awaited, its refusals are raised; reconnects, resubscribes",
    "aiomqtt": "5, 3.1.1 (3.x: 5 only); PUBACK is awaited, its refusals are ignored",
    "gmqtt": "5, 3.1.1; PUBACK cannot be awaited; reconnects; no types",
    "zmqtt": "5, 3.1.1; PUBACK is awaited, its refusals are raised; reconnects, resubscribes; alpha",
    "ohmqtt": "5 only; PUBACK is awaited by a thread; reconnects when told to",
    "amqtt": "3.1.1 only; PUBACK is awaited",
}

CANDIDATES: dict[str, Callable[[int], Awaitable[None]]] = {
    "servient": servient,
    "aiomqtt": aiomqtt,
    "gmqtt": gmqtt,
    "zmqtt": zmqtt,
    "ohmqtt": ohmqtt,
    "amqtt": amqtt,
}


def _keep(tasks: set[asyncio.Task[None]], work: Any) -> None:
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


# The generator: a few bytes of MQTT 5, so that it is never what is measured.


def _text(text: str) -> bytes:
    return struct.pack("!H", len(text)) + text.encode()


def _packet(kind: int, body: bytes) -> bytes:
    assert len(body) < 16384  # two bytes of length are enough here
    size = bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 127 | 128, len(body) >> 7])
    return bytes([kind]) + size + body


class Generator(asyncio.Protocol):
    """Sends a request for each answer that comes in, and counts those whose number it waits for."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.answers = 0
        self.wrong = 0
        self.is_active = False
        self.transport: asyncio.Transport
        self._buffer = b""
        self._next = 0
        self._awaited: set[bytes] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(_packet(0x10, _text("MQTT") + b"\x05\x02\x00\x3c\x00" + _text("generator")))
        transport.write(_packet(0x82, b"\x00\x01\x00" + _text(RESPONSE) + bytes([QOS])))

    def request(self) -> None:
        number = b"%d" % self._next
        self._next += 1
        self._awaited.add(number)
        correlation = b"\x09" + struct.pack("!H", len(number)) + number
        properties = b"\x08" + _text(RESPONSE) + correlation
        packet_id = struct.pack("!H", self._next % 65535 + 1)
        body = _text(REQUEST) + packet_id + bytes([len(properties)]) + properties + number
        self.transport.write(_packet(0x32, body))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (parsed := self._parse()) is not None:
            kind, body = parsed
            if kind & 0xF0 == 0x30:
                self._publish(kind, body)
            elif kind == 0x90:
                self.ready.set()

    def _parse(self) -> tuple[int, bytes] | None:
        size, start = 0, 1
        while start < len(self._buffer):
            byte = self._buffer[start]
            size |= (byte & 127) << 7 * (start - 1)
            start += 1
            if byte < 128:
                break
        else:
            return None
        if len(self._buffer) < start + size:
            return None
        kind, body = self._buffer[0], self._buffer[start : start + size]
        self._buffer = self._buffer[start + size :]
        return kind, body

    def _publish(self, kind: int, body: bytes) -> None:
        at = 2 + struct.unpack_from("!H", body)[0]
        if kind & 0x06:
            self.transport.write(b"\x40\x02" + body[at : at + 2])
            at += 2
        payload = body[at + 1 + body[at] :]
        if payload in self._awaited:
            self._awaited.discard(payload)
            self.answers += 1
        else:
            self.wrong += 1
        if self.is_active:
            self.request()


async def load(port: int, concurrency: int, seconds: float, responder: psutil.Process) -> Any:
    """Round trips per second, and the responder's CPU for each in microseconds."""
    _, generator = await asyncio.get_running_loop().create_connection(Generator, "127.0.0.1", port)
    await asyncio.wait_for(generator.ready.wait(), 5)
    generator.is_active = True
    for _ in range(concurrency):
        generator.request()
    await asyncio.sleep(0.3)
    before, cpu, began = generator.answers, _cpu(responder), time.perf_counter()
    await asyncio.sleep(seconds)
    trips, used = generator.answers - before, _cpu(responder) - cpu
    took = time.perf_counter() - began
    generator.is_active = False
    generator.transport.close()
    return trips / took, used / max(trips, 1) * 1e6, generator.wrong


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def measure(name: str, arguments: argparse.Namespace, port: int) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        *(arguments.python, __file__, "--respond", name, "--port", str(port)),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        await asyncio.sleep(1.5)  # it imports, connects and subscribes
        responder = psutil.Process(process.pid)
        results: dict[str, float] = {}
        for concurrency in (1, 16):
            rate, cpu, wrong = await load(port, concurrency, arguments.seconds, responder)
            results |= {f"c{concurrency}_per_s": rate, f"c{concurrency}_cpu_us": cpu}
            results[f"c{concurrency}_wrong"] = wrong
        return results
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def compare(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "set_tcp_nodelay true"]
        config.write_text("\n".join([*lines, "log_type error", ""]))
        broker = await asyncio.create_subprocess_exec("mosquitto", "-c", str(config))
        try:
            await asyncio.sleep(0.5)
            rounds: dict[str, list[dict[str, float]]] = {}
            for _ in range(arguments.rounds):
                for name in arguments.candidates:
                    rounds.setdefault(name, []).append(await measure(name, arguments, port))
        finally:
            broker.terminate()
            await broker.wait()
    return {
        name: {key: statistics.median(each[key] for each in results) for key in results[0]}
        for name, results in rounds.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="length of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved; medians are reported")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the responders")
    parser.add_argument("--json", action="store_true", help="print JSON on the last line")
    parser.add_argument("--candidates", nargs="*", help="all that are installed by default")
    parser.add_argument("--respond", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.respond:
        asyncio.run(CANDIDATES[arguments.respond](arguments.port))  # type: ignore[arg-type]
        return
    arguments.candidates = arguments.candidates or [
        name for name in CANDIDATES if arguments.python != sys.executable or find_spec(name)
    ]
    results = asyncio.run(compare(arguments))
    print(f"{'client':10}{'c=1 /s':>10}{'CPU µs':>9}{'c=16 /s':>10}{'CPU µs':>9}  MQTT")
    for name, figures in results.items():
        print(
            f"{name:10}{figures['c1_per_s']:10.0f}{figures['c1_cpu_us']:9.0f}"
            f"{figures['c16_per_s']:10.0f}{figures['c16_cpu_us']:9.0f}  {FACTS[name]}"
        )
    if arguments.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
