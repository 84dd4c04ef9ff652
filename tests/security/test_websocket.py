"""Who may come in over WebSockets: checked in the handshake, for all that the connection does."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from wotpy.wot.td import ThingDescription

from servient.bindings.websocket.binding import WebSocketBinding
from servient.clients.errors import InteractionRefused
from servient.clients.websocket import WebSocketClient
from servient.config import PrincipalSettings
from servient.security.accounts import Accounts
from servient.security.authenticator import Authenticator
from servient.security.from_settings import to_accounts
from servient.wot.access import Grant, Policy, Principal, Scope
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.security.people import KEY, PASSWORD, PRINCIPALS, TOKENS, basic, bearer, subprotocol
from tests.things import THING, expose_lamp
from thing_descriptions.validator import validate_td

WEB_THING: Any = "webthingprotocol"  # a NewType of the library
PATIENCE_SECONDS = 20.0


class ShortLived:
    """An issuer of tokens that hold for a moment."""

    async def principal(self, token: str) -> Principal | None:
        grants = (Grant(frozenset({Scope.ADMIN})),)
        return Principal("brief", grants, time.time() + 0.3) if token == "brief" else None


class Served:
    def __init__(self, servient: Servient, binding: WebSocketBinding, lamp: ExposedThing) -> None:
        self.servient = servient
        self.lamp = lamp
        self.url = f"ws://127.0.0.1:{binding.port}/things/{lamp.name}"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    accounts: Accounts = to_accounts([PrincipalSettings(**each) for each in PRINCIPALS])
    servient = Servient(policy=Policy(is_open=False))
    authenticator = Authenticator(accounts, (ShortLived(),))
    binding = WebSocketBinding("127.0.0.1", "127.0.0.1", 0, authenticator=authenticator)
    servient.add_server(binding)
    wot = await servient.start()
    try:
        yield Served(servient, binding, expose_lamp(wot))
    finally:
        await servient.shutdown()


async def ask(socket: Any, operation: str, **members: Any) -> Any:
    request = {
        "thingID": f"urn:test:{THING}",
        "messageID": "1",
        "messageType": "request",
        "operation": operation,
        **members,
    }
    await socket.send(json.dumps(request))
    async with asyncio.timeout(PATIENCE_SECONDS):
        return json.loads(await socket.recv())


@pytest.mark.parametrize(
    ("headers", "offered", "status"),
    [
        ({}, [WEB_THING], 401),
        ({"Authorization": "Bearer wrong"}, [WEB_THING], 401),
        ({"Authorization": "Nonsense"}, [WEB_THING], 401),
        ({"X-API-Key": "wrong"}, [WEB_THING], 401),
        ({}, [WEB_THING, subprotocol("wrong")], 401),
        ({}, [WEB_THING, "bearer.%"], 401),
        ({}, [WEB_THING, "bearer."], 401),
        # A browser adds a password by itself, to whatever page asks.
        ({**basic("bob", PASSWORD), "Origin": "http://elsewhere"}, [WEB_THING], 403),
    ],
)
async def test_a_handshake_without_right_credentials_is_refused(
    served: Served, headers: dict[str, str], offered: Any, status: int
) -> None:
    for url in (served.url, served.url + "-that-is-not"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, additional_headers=headers, subprotocols=offered, proxy=None)
        answer = refused.value.response
        assert answer.status_code == status
        if status == 401:
            bearer, _ = answer.headers.get_all("WWW-Authenticate")
            assert bearer.startswith("Bearer realm=")


@pytest.mark.parametrize(
    ("headers", "offered"),
    [
        (bearer("reader"), [WEB_THING]),
        (basic("bob", PASSWORD), [WEB_THING]),
        ({}, [subprotocol(TOKENS["reader"]), WEB_THING]),
    ],
)
async def test_a_connection_may_what_its_principal_may(
    served: Served, headers: dict[str, str], offered: Any
) -> None:
    async with connect(
        served.url, additional_headers=headers, subprotocols=offered, proxy=None
    ) as socket:
        assert socket.subprotocol == WEB_THING
        read = await ask(socket, "readproperty", name="level")
        assert "value" in read, read
        observed = await ask(socket, "observeproperty", name="level")
        assert "error" not in observed
        for operation, members in (
            ("writeproperty", {"name": "level", "value": 3}),
            ("invokeaction", {"name": "toggle"}),
        ):
            refused = await ask(socket, operation, **members)
            assert refused["error"]["status"] == 403, refused


async def test_who_may_do_nothing_here_is_told_so(served: Served) -> None:
    headers = {"X-API-Key": KEY}
    async with connect(
        served.url,
        additional_headers=headers,
        subprotocols=[WEB_THING],
        proxy=None,
    ) as socket:
        assert (await ask(socket, "readproperty", name="level"))["error"]["status"] == 403
    async with connect(served.url, additional_headers=headers, proxy=None) as socket:
        watch = {"jsonrpc": "2.0", "method": "on_td_change", "params": {}, "id": 1}
        await socket.send(json.dumps(watch))
        assert "error" in json.loads(await socket.recv())


async def test_a_connection_ends_with_its_credentials(served: Served) -> None:
    headers = {"Authorization": "Bearer brief"}
    async with connect(served.url, additional_headers=headers, proxy=None) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def test_the_forms_say_so(served: Served) -> None:
    td = served.servient.td(served.lamp)
    assert validate_td(td) == []
    forms = td["properties"]["level"]["forms"]
    assert all(form["security"] == ["any_sc"] for form in forms + td["forms"])


async def test_our_client_shows_credentials_in_the_handshake(served: Served) -> None:
    td = ThingDescription(served.servient.td(served.lamp))
    client = WebSocketClient()
    try:
        with pytest.raises(InteractionRefused):
            await client.read_property(td, "level")
        client.set_security({"scheme": "bearer"}, {"token": TOKENS["reader"]})
        assert await client.read_property(td, "level") is not None
        with pytest.raises(InteractionRefused):
            await client.invoke_action(td, "double", {"number": 4})
    finally:
        await client.close()
