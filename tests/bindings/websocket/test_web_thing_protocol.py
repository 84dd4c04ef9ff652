"""The members of the Web Thing Protocol's messages (draft, sections of "WebSocket Messages")."""

import asyncio
import base64
import uuid
from datetime import datetime
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from tests.bindings.websocket.serving import LAMP_ID, WEB_THING, Served, ask, receive, wtp

CORRELATION = "5afb752f-8be0-4a3c-8108-1327a6009cbd"


def common(message: dict[str, Any]) -> dict[str, Any]:
    """The rest of a message, when the members of all messages are as they should be."""
    assert uuid.UUID(message["messageID"]).version == 4
    assert message["thingID"] == LAMP_ID
    assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None
    assert message["timestamp"].endswith("Z")
    return {
        name: member
        for name, member in message.items()
        if name not in ("messageID", "thingID", "timestamp")
    }


async def test_reading_and_writing(served: Served) -> None:
    async with served.connected(WEB_THING) as socket:
        answer = await ask(
            socket, wtp("writeproperty", "level", value=9, correlationID=CORRELATION)
        )
        assert common(answer) == {
            "messageType": "response",
            "operation": "writeproperty",
            "name": "level",
            "correlationID": CORRELATION,
        }
        answer = await ask(socket, wtp("readproperty", "level"))
        assert common(answer) == {
            "messageType": "response",
            "operation": "readproperty",
            "name": "level",
            "value": 9,
            "correlationID": wtp("", "")["messageID"],  # its own id, when it has no other
        }


async def test_invoking(served: Served) -> None:
    async with served.connected(WEB_THING) as socket:
        answer = await ask(socket, wtp("invokeaction", "double", input={"number": 4}))
        assert answer["output"] == 8
        answer = await ask(socket, wtp("invokeaction", "toggle"))
        assert "output" not in answer
        assert "error" not in answer
        image = base64.b64encode(b"\x00\x01").decode()
        answer = await ask(socket, wtp("invokeaction", "invert", input={"image": image}))
        assert base64.b64decode(answer["output"]) == b"\xff\xfe"


async def test_observing(served: Served) -> None:
    async with served.connected(WEB_THING) as socket:
        request = wtp("observeproperty", "level", correlationID=CORRELATION)
        answer = await ask(socket, request)
        assert common(answer) == {
            "messageType": "response",
            "operation": "observeproperty",
            "name": "level",
            "correlationID": CORRELATION,
        }
        await served.lamp.write_property("level", 10)
        assert common(await receive(socket)) == {
            "messageType": "notification",
            "operation": "observeproperty",
            "name": "level",
            "value": 10,
            "correlationID": CORRELATION,
        }
        answer = await ask(socket, wtp("unobserveproperty", "level"))
        assert answer["operation"] == "unobserveproperty"
        await served.lamp.write_property("level", 11)
        assert (await ask(socket, wtp("readproperty", "level")))["value"] == 11


async def test_subscribing(served: Served) -> None:
    async with served.connected(WEB_THING) as socket:
        await ask(socket, wtp("subscribeevent", "toggled", correlationID=CORRELATION))
        served.lamp.emit_event("toggled", False)
        notification = common(await receive(socket))
        assert notification == {
            "messageType": "notification",
            "operation": "subscribeevent",
            "name": "toggled",
            "data": False,
            "correlationID": CORRELATION,
        }
        await ask(socket, wtp("unsubscribeevent", "toggled"))
        served.lamp.emit_event("toggled", True)
        assert (await ask(socket, wtp("readproperty", "level")))["operation"] == "readproperty"


async def test_the_last_subscription_wins(served: Served) -> None:
    async with served.connected(WEB_THING) as socket:
        for number in ("first", "second"):
            await ask(socket, wtp("observeproperty", "level", correlationID=number))
        await served.lamp.write_property("level", 12)
        assert (await receive(socket))["correlationID"] == "second"
        assert (await ask(socket, wtp("readproperty", "level")))["operation"] == "readproperty"


async def test_ending_a_subscription_that_there_is_not(served: Served) -> None:
    async with served.connected(WEB_THING) as socket:
        assert "error" not in await ask(socket, wtp("unobserveproperty", "level"))


async def refusal(socket: ClientConnection, message: Any) -> dict[str, Any]:
    answer = await ask(socket, message)
    assert answer["messageType"] == "response"
    assert answer["thingID"] == LAMP_ID
    problem: dict[str, Any] = answer["error"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("changes", "status", "detail"),
    [
        ({"messageType": "response"}, 400, "messageType"),
        ({"messageType": None}, 400, "messageType"),
        ({"messageID": 4}, 400, "messageID"),
        ({"messageID": ""}, 400, "messageID"),
        ({"messageID": "x" * 10_000}, 400, "messageID"),
        ({"thingID": None}, 400, "thingID"),
        ({"thingID": "urn:another"}, 404, "urn:another"),
        ({"correlationID": {}}, 400, "correlationID"),
        ({"operation": ["readproperty"]}, 400, "operation"),
        ({"operation": "explode"}, 400, "explode"),
        ({"operation": "writeproperty"}, 400, "value"),
        ({"operation": "writeproperty", "value": "high"}, 400, "integer"),
        ({"operation": "writeproperty", "value": None}, 400, ""),
        ({"name": 5}, 400, "name"),
        ({"name": "x" * 10_000}, 400, "name"),
        ({"name": "colour"}, 404, "colour"),
        ({"name": "../level"}, 404, "level"),
        ({"name": "double_result"}, 404, "no value"),
        ({"name": "serial", "operation": "observeproperty"}, 405, "observeproperty"),
        ({"name": "double", "operation": "invokeaction", "input": [1]}, 400, "object"),
        ({"name": "invert", "operation": "invokeaction", "input": {"image": "%"}}, 400, "base64"),
    ],
)
async def test_refusals(served: Served, changes: dict[str, Any], status: int, detail: str) -> None:
    async with served.connected(WEB_THING) as socket:
        problem = await refusal(socket, {**wtp("readproperty", "level"), **changes})
        assert problem["status"] == status
        assert detail in problem["detail"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '"x"', "NaN", '{"a": Infinity}'])
async def test_what_is_no_message(served: Served, text: str) -> None:
    async with served.connected(WEB_THING) as socket:
        assert (await refusal(socket, text))["status"] == 400
        assert (await ask(socket, wtp("readproperty", "level")))["value"] == 3


async def test_a_thing_without_an_id_takes_any(served: Served) -> None:
    document = {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "title": "Nameless",
        "securityDefinitions": {"n": {"scheme": "nosec"}},
        "security": ["n"],
        "properties": {"level": {"type": "integer"}},
    }
    thing = served.wot.produce(document)
    thing.set_property("level", 1)
    thing.expose()
    served.lamp = thing
    async with served.connected(WEB_THING) as socket:
        request = wtp("readproperty", "level", thingID="http://127.0.0.1/things/nameless")
        answer = await ask(socket, request)
        assert (answer["value"], answer["thingID"]) == (1, "http://127.0.0.1/things/nameless")


# The Thing as a whole, and its invocations


def whole(operation: str, **members: Any) -> dict[str, Any]:
    message = wtp(operation, "", **members)
    del message["name"]
    return message


async def test_reading_and_writing_several(served: Served) -> None:
    async with served.connected(WEB_THING) as socket:
        answer = await ask(socket, whole("readallproperties"))
        assert answer["values"] == {"level": 3, "serial": "4711"}
        assert "name" not in answer
        answer = await ask(socket, whole("readmultipleproperties", names=["level"]))
        assert answer["values"] == {"level": 3}
        for operation, level in (("writemultipleproperties", 5), ("writeallproperties", 6)):
            answer = await ask(socket, whole(operation, values={"level": level}))
            assert "error" not in answer
            assert served.lamp.value_of("level") == level


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (whole("readmultipleproperties"), 400),
        (whole("readmultipleproperties", names="level"), 400),
        (whole("readmultipleproperties", names=[1]), 400),
        (whole("readmultipleproperties", names=["x"] * 1025), 400),
        (whole("readmultipleproperties", names=["none"]), 404),
        (whole("writemultipleproperties"), 400),
        (whole("writemultipleproperties", values=[]), 400),
        (whole("writemultipleproperties", values={"level": 7, "serial": "x"}), 405),
        (wtp("queryaction", "double"), 400),
        (wtp("queryaction", "double", actionID="7"), 404),
        (wtp("cancelaction", "none", actionID="7"), 404),
    ],
)
async def test_what_is_refused_of_all(served: Served, message: Any, status: int) -> None:
    async with served.connected(WEB_THING) as socket:
        assert (await ask(socket, message))["error"]["status"] == status
    assert served.lamp.value_of("level") == 3


async def test_observing_all(served: Served) -> None:
    async with served.connected(WEB_THING) as socket:
        await ask(socket, whole("observeallproperties"))
        await ask(socket, whole("subscribeallevents"))
        served.lamp.set_property("serial", "not observable")
        served.lamp.set_property("level", 7)
        served.lamp.emit_event("toggled", True)
        level, toggled = await receive(socket), await receive(socket)
        assert (level["operation"], level["name"], level["value"]) == (
            "observeallproperties",
            "level",
            7,
        )
        assert (toggled["operation"], toggled["name"], toggled["data"]) == (
            "subscribeallevents",
            "toggled",
            True,
        )
        await ask(socket, whole("unobserveallproperties"))
        served.lamp.set_property("level", 8)
        served.lamp.emit_event("toggled", False)
        assert (await receive(socket))["data"] is False


async def test_asking_after_an_invocation_and_cancelling_it(served: Served) -> None:
    async def brew(_: Any) -> None:
        await asyncio.Event().wait()

    served.lamp.add_action("brew", {"synchronous": False}, brew)
    async with served.connected(WEB_THING) as socket:
        begun = await ask(socket, wtp("invokeaction", "brew"))
        number = begun["actionID"]
        assert begun["status"]["status"] in ("pending", "running")
        assert begun["status"]["href"].endswith(f"/actions/brew/{number}")
        everything = await ask(socket, whole("queryallactions"))
        assert [each["actionID"] for each in everything["statuses"]["brew"]] == [number]
        assert "error" not in await ask(socket, wtp("cancelaction", "brew", actionID=number))
        query = wtp("queryaction", "brew", actionID=number)
        while (status := (await ask(socket, query))["status"])["status"] == "running":
            await asyncio.sleep(0.01)
        assert (status["status"], status["error"]["title"]) == ("failed", "Action failed")
