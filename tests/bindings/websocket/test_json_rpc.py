"""WoTPy's JSON-RPC: its messages, and its own client."""

import json
from typing import Any

import pytest
from wotpy.protocols.ws.client import WebsocketClient
from wotpy.wot.td import ThingDescription

from tests.bindings.websocket.serving import Served, ask, receive, rpc, until


class PlainClient(WebsocketClient):  # WoTPy's, without its second of idling after each call
    SLEEP_AFTER_ERR_SECS = 0.01


async def test_calls(served: Served) -> None:
    async with served.connected() as socket:
        answer = await ask(socket, rpc("read_property", 7, name="level"))
        assert answer == {"jsonrpc": "2.0", "id": 7, "result": 3}
        answer = await ask(socket, rpc("write_property", "a", name="level", value=4))
        assert answer == {"jsonrpc": "2.0", "id": "a", "result": None}
        answer = await ask(
            socket, rpc("invoke_action", None, name="double", parameters={"number": 4})
        )
        assert answer == {"jsonrpc": "2.0", "id": None, "result": 8}
        answer = await ask(socket, rpc("invoke_action", 2**70, name="toggle"))
        assert answer == {"jsonrpc": "2.0", "id": 2**70, "result": None}


async def test_subscriptions(served: Served) -> None:
    async with served.connected() as socket:
        levels = (await ask(socket, rpc("on_property_change", name="level")))["result"]
        toggles = (await ask(socket, rpc("on_event", name="toggled")))["result"]
        await served.lamp.write_property("level", 9)
        assert await receive(socket) == {
            "subscription": levels,
            "name": "propertychange",
            "data": {"name": "level", "value": 9},
        }
        served.lamp.emit_event("toggled", True)
        assert await receive(socket) == {"subscription": toggles, "name": "toggled", "data": True}
        assert (await ask(socket, rpc("dispose", subscription=levels)))["result"] == levels
        assert (await ask(socket, rpc("dispose", subscription=levels)))["result"] is None
        await served.lamp.write_property("level", 10)
        assert (await ask(socket, rpc("read_property", name="level")))["result"] == 10


async def test_changes_of_the_description(served: Served) -> None:
    async with served.connected() as socket:
        changes = (await ask(socket, rpc("on_td_change")))["result"]
        served.lamp.add_event("flash", {"data": {"type": "string"}})
        item = await receive(socket)
        assert (item["subscription"], item["name"]) == (changes, "descriptionchange")
        data = item["data"]
        assert (data["td_change_type"], data["method"], data["name"]) == ("event", "add", "flash")
        assert data["description"]["events"]["flash"]["forms"][0]["href"] == served.url
        served.lamp.remove_event("flash")
        item = await receive(socket)
        assert "flash" not in item["data"]["description"]["events"]


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"jsonrpc": "1.0"}, -32600, 400),
        ({"jsonrpc": 2.0}, -32600, 400),
        ({"method": None}, -32600, 400),
        ({"method": 5}, -32600, 400),
        ({"method": "x" * 10_000}, -32600, 400),
        ({"method": "explode"}, -32601, 400),
        ({"params": ["level"]}, -32600, 400),
        ({"params": {}}, -32602, 400),
        ({"params": {"name": {}}}, -32602, 400),
        ({"params": {"name": "colour"}}, -32602, 404),
        ({"params": {"name": "double_result"}}, -32602, 404),
        ({"method": "write_property"}, -32602, 400),
        ({"method": "write_property", "params": {"name": "level", "value": 101}}, -32602, 400),
        ({"method": "write_property", "params": {"name": "serial", "value": "1"}}, -32602, 405),
        ({"method": "invoke_action", "params": {"name": "double"}}, -32602, 400),
        ({"method": "dispose"}, -32602, 400),
        (
            {"method": "invoke_action", "params": {"name": "double", "parameters": {"number": -1}}},
            -32603,
            500,
        ),
    ],
)
async def test_refusals(served: Served, changes: dict[str, Any], code: int, status: int) -> None:
    async with served.connected() as socket:
        answer = await ask(socket, {**rpc("read_property", 5, name="level"), **changes})
        assert answer["id"] == 5
        assert answer["error"]["code"] == code
        assert answer["error"]["message"] == answer["error"]["data"]["detail"]
        assert answer["error"]["data"]["status"] == status


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", -32700),
        ("{", -32700),
        ('{"jsonrpc": "2.0", "id": 1, "method": NaN}', -32700),
        ('{"jsonrpc": "2.0", "id": ' + "9" * 5000 + "}", -32700),
        ("[" * 100_000, -32700),
        ('{"a":' * 100_000, -32700),
        ("[]", -32600),
        ('[{"jsonrpc": "2.0", "id": 1, "method": "read_property"}]', -32600),
        ("1", -32600),
        ("{}", -32600),
        ('{"jsonrpc": "2.0", "id": true, "method": "read_property"}', -32600),
        ('{"jsonrpc": "2.0", "id": 1.5, "method": "read_property"}', -32600),
        ('{"jsonrpc": "2.0", "id": {}, "method": "read_property"}', -32600),
        ('{"jsonrpc": "2.0", "id": "' + "x" * 10_000 + '", "method": "read_property"}', -32600),
    ],
)
async def test_what_is_no_request(served: Served, text: str, code: int) -> None:
    async with served.connected() as socket:
        answer = await ask(socket, text)
        assert (answer["id"], answer["error"]["code"]) == (None, code)
        assert (await ask(socket, rpc("read_property", name="level")))["result"] == 3


async def test_a_request_without_an_id_has_no_answer(served: Served) -> None:
    async with served.connected() as socket:
        for request in (
            rpc("write_property", name="level", value=44),
            rpc("write_property", name="level", value="high"),
            rpc("on_event", name="toggled"),
            rpc("explode"),
        ):
            del request["id"]
            await socket.send(json.dumps(request))
        answer = await ask(socket, rpc("read_property", 9, name="level"))
        assert (answer["id"], answer["result"]) == (9, 44)


async def test_the_client_of_wotpy(served: Served) -> None:
    client, td = PlainClient(), ThingDescription(served.td)
    seen: list[Any] = []
    changes = client.on_property_change(td, "level").subscribe(
        on_next=lambda event: seen.append((event.data.name, event.data.value))
    )
    events = client.on_event(td, "toggled").subscribe(on_next=lambda event: seen.append(event.data))
    await until(lambda: served.binding.connection_count == 2)
    assert await client.read_property(td, "serial") == "4711"
    assert await client.invoke_action(td, "double", {"number": 21}) == 42
    assert await client.invoke_action(td, "echo", {"error": "none"}) == {"error": "none"}
    await client.write_property(td, "level", 77)
    await client.invoke_action(td, "toggle", None)
    await until(lambda: seen == [("level", 77), True])
    with pytest.raises(Exception, match="negative numbers"):
        await client.invoke_action(td, "double", {"number": -1})
    changes.dispose()
    events.dispose()
    await until(lambda: served.binding.connection_count == 0)


async def test_the_client_of_wotpy_hears_of_the_end(served: Served) -> None:
    client, td = PlainClient(), ThingDescription(served.td)
    errors: list[Exception] = []
    seen: list[Any] = []
    client.on_event(td, "toggled").subscribe(on_next=seen.append, on_error=errors.append)

    def is_subscribed() -> bool:
        served.lamp.emit_event("toggled", True)
        return bool(seen)

    await until(is_subscribed)
    served.lamp.destroy()
    await until(lambda: len(errors) > 0)
    assert "no longer served" in str(errors[0])
