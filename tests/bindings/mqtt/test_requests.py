"""Requests and their answers, as any MQTT client sends them."""

import asyncio
import json
from typing import Any

import cbor2
import pytest

from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.wot.entry import WoT
from servient.wot.thing import ExposedThing
from tests.bindings.mqtt.serving import Serving, answer_topic, serve, topic
from tests.consumers.paho import Messages, PahoClient, Received
from tests.things import expose_lamp

PATIENCE_SECONDS = 20.0
PROBLEM = "application/problem+json"


async def following(messages: Messages) -> Received:
    return await asyncio.wait_for(messages.get(), PATIENCE_SECONDS)


async def ask(client: PahoClient, rest: str, payload: bytes = b"", **properties: Any) -> Received:
    """The answer on a Response Topic."""
    to = answer_topic()
    async with client.listening(to) as answers:
        await client.publish(topic(rest), payload, ResponseTopic=to, **properties)
        return await following(answers)


async def test_an_answer_comes_on_the_response_topic(client: PahoClient) -> None:
    answer = await ask(client, "actions/double", b'{"number": 21}', CorrelationData=b"\x00\xff")
    assert answer.payload == b"42"
    assert answer.correlation == b"\x00\xff"
    assert answer.content_type == "application/json"
    assert answer.response_topic is None
    assert not answer.is_retained


async def test_a_problem_says_that_it_is_one(client: PahoClient) -> None:
    answer = await ask(client, "actions/double", b'{"number": "x"}', CorrelationData=b"1")
    assert (answer.content_type, answer.correlation) == (PROBLEM, b"1")
    problem = json.loads(answer.payload)
    assert (problem["status"], problem["errors"][0]["pointer"]) == (400, "/number")
    assert problem["instance"] == topic("actions/double")


async def test_an_output_file_has_its_media_type(client: PahoClient) -> None:
    answer = await ask(client, "actions/invert", b"\x00\x01", ContentType="image/png")
    assert (answer.payload, answer.content_type) == (b"\xff\xfe", "image/png")


async def test_an_action_without_output_answers_with_nothing(client: PahoClient) -> None:
    answer = await ask(client, "actions/toggle")
    assert answer.payload == b""
    assert answer.content_type is None


async def test_properties_are_read_and_written(client: PahoClient, lamp: ExposedThing) -> None:
    assert (await ask(client, "properties/level/read")).payload == b"3"
    assert (await ask(client, "properties/level/write", b"77")).payload == b""
    assert await lamp.read_property("level") == 77
    assert (await ask(client, "properties/serial/read")).payload == b'"4711"'
    problem = json.loads((await ask(client, "properties/double_result/read")).payload)
    assert (problem["status"], problem["title"]) == (404, "No value yet")
    problem = json.loads((await ask(client, "properties/serial/write", b'"x"')).payload)
    assert problem["status"] == 405


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_every_quality_of_service_is_answered(client: PahoClient, qos: int) -> None:
    to = answer_topic()
    async with client.listening(to) as answers:
        await client.publish(topic("actions/toggle"), qos=qos, ResponseTopic=to)
        assert (await following(answers)).qos == min(qos, 1)


async def test_an_older_client_has_its_answer_below_the_request(broker: EmbeddedBroker) -> None:
    async with serve(broker) as serving:
        lamp = expose_lamp(serving.wot)
        assert serving.binding.version == broker.version
        async with (
            serving.client(version=4) as client,
            client.listening(topic("+/+/+/output"), topic("+/+/+/+/output")) as outputs,
            client.listening(topic("actions/+/+/problem")) as problems,
        ):
            await client.publish(topic("actions/double/a-1"), b'{"number": 4}')
            answer = await following(outputs)
            assert (answer.topic, answer.payload) == (topic("actions/double/a-1/output"), b"8")
            await client.publish(topic("actions/double/a-2"), b"[]")
            answer = await following(problems)
            assert answer.topic == topic("actions/double/a-2/problem")
            assert json.loads(answer.payload)["status"] == 400
            await client.publish(topic("properties/level/write/w"), b"5")
            answer = await following(outputs)
            assert (answer.topic, answer.payload) == (topic("properties/level/write/w/output"), b"")
            await client.publish(topic("properties/level/read/r"))
            answer = await following(outputs)
            assert (answer.topic, answer.payload) == (topic("properties/level/read/r/output"), b"5")
            assert await lamp.read_property("level") == 5


async def test_without_a_topic_for_answers_the_result_is_seen(broker: EmbeddedBroker) -> None:
    async with serve(broker) as serving:
        expose_lamp(serving.wot)
        async with (
            serving.client(version=4) as client,
            client.listening(topic("events/double_completed"), topic("events/double_failed")) as e,
            client.listening(topic("properties/double_result")) as results,
        ):
            await client.publish(topic("actions/double"), b'{"number": 5}')
            assert json.loads((await following(e)).payload)["output"] == 10
            assert (await following(results)).payload == b"10"
            await client.publish(topic("actions/double"), b'{"number": -5}')
            assert json.loads((await following(e)).payload)["status"] == 500


async def test_many_requests_are_served_at_once(client: PahoClient) -> None:
    to = answer_topic()
    async with client.listening(to) as answers:
        for number in range(200):
            await client.publish(
                topic("actions/double"),
                b'{"number": %d}' % number,
                ResponseTopic=to,
                CorrelationData=b"%d" % number,
            )
        for _ in range(200):
            answer = await following(answers)
            assert int(answer.payload) == 2 * int(answer.correlation or b"")


def expose_sleeper(wot: WoT) -> asyncio.Event:
    """A Thing whose action ends when the event is set."""
    wake = asyncio.Event()
    thing = wot.produce(
        {
            "@context": "https://www.w3.org/2022/wot/td/v1.1",
            "title": "Sleeper",
            "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
            "security": "nosec_sc",
            "actions": {"sleep": {"output": {"type": "integer"}}},
        }
    )

    async def sleep(_: Any) -> int:
        await wake.wait()
        return 1

    thing.set_action_handler("sleep", sleep)
    thing.expose()
    return wake


async def test_too_many_requests_are_told_so(mosquitto: EmbeddedBroker) -> None:
    """Of those that came at most once: nobody acknowledged them."""
    async with serve(mosquitto, requests_limit=3) as serving, serving.client() as client:
        wake = expose_sleeper(serving.wot)
        sleep, to = topic("actions/sleep", "sleeper"), answer_topic()
        async with client.listening(to) as answers:
            for number in range(4):
                await client.publish(sleep, qos=0, ResponseTopic=to, CorrelationData=b"%d" % number)
            busy = await following(answers)
            assert busy.correlation == b"3"
            assert json.loads(busy.payload)["status"] == 503
            await client.publish(sleep, qos=0)  # nobody to tell
            wake.set()
            assert [(await following(answers)).payload for _ in range(3)] == [b"1"] * 3


async def test_what_was_acknowledged_waits_for_its_turn(broker: EmbeddedBroker) -> None:
    async with (
        serve(broker, requests_limit=4) as serving,
        serving.client(broker.version) as client,
    ):
        wake = expose_sleeper(serving.wot)
        many = 100
        async with client.listening(topic("actions/sleep/+/output", "sleeper")) as outputs:
            for number in range(many):
                await client.publish(topic(f"actions/sleep/{number}", "sleeper"))
            assert outputs.empty()
            wake.set()
            answers = [await following(outputs) for _ in range(many)]
        numbers = [int(answer.topic.split("/")[-2]) for answer in answers]
        assert sorted(numbers) == list(range(many))


async def test_whoever_waits_is_told_that_the_servient_stops(mosquitto: EmbeddedBroker) -> None:
    to = answer_topic()
    async with (
        PahoClient(mosquitto.host, mosquitto.port) as client,
        client.listening(to) as answers,
    ):
        async with serve(mosquitto, requests_limit=2) as serving:
            expose_sleeper(serving.wot)
            for _ in range(4):
                await client.publish(topic("actions/sleep", "sleeper"), ResponseTopic=to)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(serving.binding._running._responder._intake) < 4:  # type: ignore[union-attr]
                    await asyncio.sleep(0.01)
        said = [json.loads((await following(answers)).payload) for _ in range(4)]
        assert {(each["status"], each["detail"]) for each in said} == {
            (503, "the servient is stopping")
        }


async def test_cbor_is_understood(client: PahoClient, lamp: ExposedThing) -> None:
    """Where MQTT 5 says what it is."""
    body = cbor2.dumps({"number": 21})
    answer = await ask(client, "actions/double", body, ContentType="application/cbor")
    assert answer.payload == b"42"
    body = cbor2.dumps(44)
    await ask(client, "properties/level/write", body, ContentType="application/cbor")
    assert await lamp.read_property("level") == 44
    image = cbor2.dumps({"image": b"\x00\x01"})
    answer = await ask(client, "actions/invert", image, ContentType="application/cbor")
    assert answer.payload == b"\xff\xfe"


async def test_an_input_that_is_too_large_is_told_so(mosquitto: EmbeddedBroker) -> None:
    async with serve(mosquitto, payload_limit_bytes=1000) as serving, serving.client() as client:
        expose_lamp(serving.wot)
        big = json.dumps({"text": "x" * 2000}).encode()
        assert json.loads((await ask(client, "actions/echo", big)).payload)["status"] == 413
        small = json.dumps({"text": "x" * 900}).encode()
        assert (await ask(client, "actions/echo", small)).payload == small.replace(b" ", b"")


async def test_an_output_that_is_too_large_is_told_so(mosquitto: EmbeddedBroker) -> None:
    async with serve(mosquitto, payload_limit_bytes=1000) as serving, serving.client() as client:
        expose_lamp(serving.wot)
        # As JSON in ASCII it grows to twice its size.
        text = '{"text": "%s"}' % ("\u00fc" * 300)
        answer = await ask(client, "actions/echo", text.encode())
        assert json.loads(answer.payload)["status"] == 413


async def test_an_image_of_five_megabytes_passes(client: PahoClient) -> None:
    image = bytes(range(256)) * 4 * 1024 * 5
    answer = await ask(client, "actions/invert", image, ContentType="image/png")
    assert bytes(answer.payload) == bytes(255 - byte for byte in image)


async def test_things_that_come_and_go_need_no_subscription(serving: Serving) -> None:
    async with serving.client() as client:
        for number in range(20):
            name = f"lamp {number}/+#"
            lamp = expose_lamp(serving.wot, name)
            encoded = f"lamp%20{number}%2F%2B%23"
            to = answer_topic()
            async with client.listening(to) as answers:
                await client.publish(
                    topic("actions/double", encoded), b'{"number": 1}', ResponseTopic=to
                )
                assert (await following(answers)).payload == b"2"
                lamp.destroy()
                await client.publish(topic("actions/double", encoded), b"{}", ResponseTopic=to)
                assert json.loads((await following(answers)).payload)["status"] == 404
