"""mosquitto's own programs, as people use them, against our MQTT binding."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from servient.bindings.mqtt.binding import MqttBinding
from servient.bindings.mqtt.broker import EmbeddedBroker
from tests.interop.programs import Ended, line_of, run, running
from tests.interop.serving import Lamp, serving
from tests.tools import needs

IMAGE = bytes(range(256))
INVERTED = bytes(255 - byte for byte in IMAGE)
ANSWERS = "answers/mine"


@dataclass(frozen=True, slots=True)
class Client:
    """The three programs, with a TD and the broker that it names."""

    lamp: Lamp
    port: int

    def topic(self, kind: str, name: str, operation: str, packet: str = "publish") -> str:
        for form in self.lamp.td[kind][name]["forms"]:
            if operation in form["op"] and form["mqv:controlPacket"] == packet:
                return str(form["mqv:topic" if packet == "publish" else "mqv:filter"])
        raise LookupError(f"no form to {operation} {name}")

    async def publish(self, topic: str, *arguments: str) -> None:
        ended = await run(*self._command("mosquitto_pub"), "-t", topic, *arguments)
        assert ended.code == 0

    async def ask(self, topic: str, *arguments: str, answers: str = ANSWERS) -> Ended:
        """MQTT 5's request and response, unless told otherwise."""
        command = self._command("mosquitto_rr", "-W", "20", "-N", "-e", answers)
        return await run(*command, "-t", topic, *arguments)

    @contextlib.asynccontextmanager
    async def following(self, *topics: str) -> AsyncIterator[asyncio.StreamReader]:
        """Lines "<topic> <payload in hexadecimal>", once what is retained has begun to come."""
        command = self._command("mosquitto_sub", "-F", "%t %x")
        filters = [argument for topic in ("servient/status", *topics) for argument in ("-t", topic)]
        async with running(*command, *filters) as output:
            assert await heard(output, "servient/status") == b"online"
            yield output

    def _command(self, program: str, *arguments: str) -> tuple[str, ...]:
        return (needs(program), "-h", "127.0.0.1", "-p", str(self.port), "-q", "1", *arguments)


async def heard(output: asyncio.StreamReader, topic: str) -> bytes:
    """The payload of the next line, which is of this topic."""
    heard_topic, payload = (await line_of(output)).split(" ", 1)
    assert heard_topic == topic
    return bytes.fromhex(payload)


def as_json(value: Any) -> tuple[str, str]:
    return "-m", json.dumps(value)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    needs("mosquitto")
    async with (
        EmbeddedBroker("127.0.0.1", 0, prefer="mosquitto") as broker,
        serving(MqttBinding(broker.host, broker.port, prefix="servient")) as lamp,
    ):
        yield Client(lamp, broker.port)


async def test_writes_invokes_and_follows(client: Client) -> None:
    """With MQTT 3.1.1, the programs' default, and without answers."""
    level = client.topic("properties", "level", "observeproperty", "subscribe")
    result = client.topic("properties", "double_result", "observeproperty", "subscribe")
    completed = client.topic("events", "double_completed", "subscribeevent", "subscribe")
    async with client.following(level, result, completed) as output:
        assert await heard(output, level) == b"3"
        await client.publish(client.topic("properties", "level", "writeproperty"), *as_json(7))
        assert await heard(output, level) == b"7"
        double = client.topic("actions", "double", "invokeaction")
        await client.publish(double, *as_json({"number": 21}))
        assert await heard(output, result) == b"42"
        assert json.loads(await heard(output, completed))["output"] == 42


async def test_asks_and_gets_the_answer(client: Client) -> None:
    serial = await client.ask(client.topic("properties", "serial", "readproperty"), "-n")
    assert serial.text == '"4711"'
    written = await client.ask(client.topic("properties", "level", "writeproperty"), *as_json(7))
    assert (written.code, written.text) == (0, "")
    double = client.topic("actions", "double", "invokeaction")
    assert (await client.ask(double, *as_json({"number": 21}))).text == "42"
    toggled = await client.ask(client.topic("actions", "toggle", "invokeaction"), "-n")
    assert (toggled.code, toggled.text) == (0, "")


async def test_a_refusal_is_answered_with_the_reason(client: Client) -> None:
    double = client.topic("actions", "double", "invokeaction")
    answer = await client.ask(double, *as_json({"number": "x"}), "-F", "%C %p")
    media_type, problem = answer.text.split(" ", 1)
    assert media_type == "application/problem+json"
    assert json.loads(problem)["errors"][0]["pointer"] == "/number"


async def test_asks_without_mqtt_5(client: Client) -> None:
    """The answer comes below the topic of the request, whose last level is chosen by who asks."""
    [form] = client.lamp.td["actions"]["double"]["forms"]
    for number, kind, member in ((21, "output", "42"), ("x", "problem", "/number")):
        topic = form["wasm:requestTopic"].replace("{request}", "mine")
        given = ("-V", "311", *as_json({"number": number}))
        answer = await client.ask(topic, *given, answers=f"{topic}/{kind}")
        assert member in answer.text


async def test_sends_and_gets_files(client: Client, tmp_path: Path) -> None:
    invert = client.topic("actions", "invert", "invokeaction")
    answer = await client.ask(invert, *as_json({"image": base64.b64encode(IMAGE).decode()}))
    assert answer.output == INVERTED
    image = tmp_path / "image.png"
    image.write_bytes(IMAGE)
    properties = {"content-type": "image/png", "response-topic": ANSWERS}
    arguments = [word for item in properties.items() for word in ("-D", "publish", *item)]
    async with client.following(ANSWERS) as output:
        # Not mosquitto_rr: it leaves files out.
        await client.publish(invert, "-V", "5", "-f", str(image), *arguments)
        assert await heard(output, ANSWERS) == INVERTED
