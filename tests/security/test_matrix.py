"""Every operation over every binding, by everybody: only who has the right credentials passes.

One servient speaks all four protocols to the same people. Each has one secret: a token, which is the
password of MQTT, too, and a security context for CoAP; "expired" has a token of an issuer that was right
once. What a TD says of a form is what its binding takes.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import aiocoap
import httpx
import jwt
import pytest
from aiocoap import oscore
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import InvalidStatus

from servient.app import App
from servient.config import Config
from servient.mqtt.connection import connect as connect_mqtt
from servient.mqtt.errors import BrokerRefused, MqttError
from servient.mqtt.message import Broker, Message
from servient.security.secrets import hash_for_mosquitto, hash_token
from tests.security.test_coap import write_context
from tests.things import THING, expose_lamp
from tests.tools import needs
from thing_descriptions.validator import validate_td

WAIT_SECONDS = 20.0
ISSUER, AUDIENCE = "https://issuer.example", "wasm-servient"
KEY = ec.generate_private_key(ec.SECP256R1())
WEB_THING: Any = "webthingprotocol"  # a NewType of the library
# Whose secrets are what, by the scope that each of them has.
PEOPLE = {name: f"secret-of-{name}-0123456789" for name in ("read", "invoke", "deploy")}


class Who(StrEnum):
    NOBODY = "no credentials"
    WRONG = "wrong credentials"
    EXPIRED = "expired credentials"
    SMALL = "a scope that is too small"
    RIGHT = "the right scope"


class Passed(StrEnum):
    YES = "yes"
    UNKNOWN = "401"
    FORBIDDEN = "403"


EXPECTED = {
    Who.NOBODY: Passed.UNKNOWN,
    Who.WRONG: Passed.UNKNOWN,
    Who.EXPIRED: Passed.UNKNOWN,
    Who.SMALL: Passed.FORBIDDEN,
    Who.RIGHT: Passed.YES,
}


@dataclass(frozen=True)
class Operation:
    """A W3C operation on the lamp: what it takes, and how each wire says it."""

    name: str
    scope: str
    affordance: str
    value: Any = None

    @property
    def body(self) -> bytes:
        return b"" if self.value is None else json.dumps(self.value).encode()


OPERATIONS = [
    Operation("readproperty", "read", "properties/level"),
    Operation("writeproperty", "invoke", "properties/level", 5),
    Operation("observeproperty", "read", "properties/level"),
    Operation("readallproperties", "read", "properties"),
    Operation("writemultipleproperties", "invoke", "properties", {"level": 4}),
    Operation("invokeaction", "invoke", "actions/double", {"number": 4}),
    Operation("queryaction", "read", "actions/double/none"),
    Operation("cancelaction", "invoke", "actions/double/none"),
    Operation("subscribeevent", "read", "events/toggled"),
]
METHODS = {
    "writeproperty": "PUT",
    "writemultipleproperties": "PUT",
    "invokeaction": "POST",
    "cancelaction": "DELETE",
}


def issue(scope: str, expires_in: float) -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "guest", "exp": time.time() + expires_in}
    return jwt.encode({**claims, "scope": scope}, KEY, "ES256")


def secret(who: Who, scope: str) -> str | None:
    other = "deploy" if scope != "deploy" else "read"
    return {
        Who.NOBODY: None,
        Who.WRONG: "wrong-0123456789",
        Who.EXPIRED: issue(scope, -3600),
        Who.SMALL: PEOPLE[other],
        Who.RIGHT: PEOPLE[scope],
    }[who]


def name_of(who: Who, scope: str) -> str:
    """Whose name is shown with the secret, where there are names."""
    return ("deploy" if scope != "deploy" else "read") if who is Who.SMALL else scope


@pytest.fixture
async def app(settings: Callable[..., Config], tmp_path: Path) -> AsyncIterator[App]:
    needs("mosquitto")
    key = tmp_path / "issuer.pem"
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    key.write_bytes(KEY.public_key().public_bytes(serialization.Encoding.PEM, form))
    principals = [
        {
            "name": name,
            "scopes": [name],
            "token_sha256": hash_token(text),
            "mqtt_password": hash_for_mosquitto(text),
            "oscore": write_context(tmp_path / name, "", name.encode()[:1].hex(), _key(text)),
        }
        for name, text in PEOPLE.items()
    ]
    issuer = {"issuer": ISSUER, "audience": AUDIENCE, "key_file": key}
    config = settings(principals=principals, issuers=[issuer], websocket_port=0)
    async with App(config) as app:
        expose_lamp(app.wot)
        async with asyncio.timeout(WAIT_SECONDS):
            while not app.bindings["mqtt"].is_up_to_date:
                await asyncio.sleep(0.01)
        yield app


def _key(text: str) -> str:
    return text.encode().hex()[:32]


# The wires


async def over_http(app: App, operation: Operation, who: Who, _: Path) -> Passed:
    shown = secret(who, operation.scope)
    headers = {"Authorization": f"Bearer {shown}"} if shown else {}
    if operation.name in ("observeproperty", "subscribeevent"):
        headers["Accept"] = "text/event-stream"
    url = f"{app.addresses()['http']}/things/{THING}/{operation.affordance}"
    method = METHODS.get(operation.name, "GET")
    content = operation.body or None
    if content:
        headers["Content-Type"] = "application/json"
    async with (
        httpx.AsyncClient(timeout=WAIT_SECONDS) as client,
        client.stream(method, url, headers=headers, content=content) as answer,
    ):
        return _passed(answer.status_code)


async def over_websocket(app: App, operation: Operation, who: Who, _: Path) -> Passed:
    shown = secret(who, operation.scope)
    headers = {"Authorization": f"Bearer {shown}"} if shown else {}
    url = f"{app.addresses()['websocket']}/things/{THING}"
    members = {"value": operation.value, "input": operation.value, "values": operation.value}
    request = {
        "thingID": f"urn:test:{THING}",
        "messageID": "1",
        "messageType": "request",
        "operation": operation.name,
        "name": operation.affordance.split("/")[1] if "/" in operation.affordance else "-",
        "actionID": "none",
        **{name: value for name, value in members.items() if value is not None},
    }
    try:
        async with connect_websocket(
            url, additional_headers=headers, subprotocols=[WEB_THING], proxy=None
        ) as socket:
            await socket.send(json.dumps(request))
            async with asyncio.timeout(WAIT_SECONDS):
                answer = json.loads(await socket.recv())
    except InvalidStatus as refused:
        return _passed(refused.response.status_code)
    return _passed(answer["error"]["status"] if "error" in answer else 200)


async def over_coap(app: App, operation: Operation, who: Who, folder: Path) -> Passed:
    codes = {"GET": aiocoap.GET, "PUT": aiocoap.PUT, "POST": aiocoap.POST, "DELETE": aiocoap.DELETE}
    request = aiocoap.Message(
        code=codes[METHODS.get(operation.name, "GET")],
        uri=f"{app.addresses()['coap']}/things/{THING}/{operation.affordance}",
        payload=operation.body,
    )
    if operation.body:
        request.opt.content_format = 50
    if operation.name in ("observeproperty", "subscribeevent"):
        request.opt.observe = 0
    name = name_of(who, operation.scope)
    # A context does not expire: one that has been taken back is one that nobody knows any more.
    sender = "7f" if who is Who.EXPIRED else name.encode()[:1].hex()
    own = "00" * 16 if who is Who.WRONG else _key(PEOPLE[name])
    context = await aiocoap.Context.create_client_context(transports=["oscore", "simple6"])
    keys: Any = None
    if who is not Who.NOBODY:
        # The same each time: a context that begins anew is one that is replayed.
        kept = folder / f"{sender}-{own[:4]}"
        kept = kept if kept.is_dir() else write_context(kept, sender, "", own)
        keys = oscore.FilesystemSecurityContext(str(kept))
        context.client_credentials[f"{app.addresses()['coap']}/*"] = keys
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            code = (await context.request(request).response).code
    except oscore.NotAProtectedMessage as refusal:
        code = refusal.plain_message.code
    finally:
        await context.shutdown()
        if keys is not None:
            keys._destroy()
    if code is aiocoap.BAD_REQUEST and who is Who.WRONG:  # RFC 8613 section 8.2: a wrong key
        return Passed.UNKNOWN
    return _passed({aiocoap.UNAUTHORIZED: 401, aiocoap.FORBIDDEN: 403}.get(code, 200))


async def over_mqtt(app: App, operation: Operation, who: Who, _: Path) -> Passed:
    assert app.broker is not None
    shown, name = secret(who, operation.scope), name_of(who, operation.scope)
    broker = Broker(app.broker.host, app.broker.port, name if shown else None, shown)
    received: asyncio.Queue[Message] = asyncio.Queue()
    try:
        connection = await connect_mqtt(broker, received.put_nowait)
    except BrokerRefused:
        return Passed.UNKNOWN
    base = f"{app.config.topic_prefix}/things/{THING}/{operation.affordance}"
    answers = f"answers/{name}/x"
    try:
        await connection.subscribe(answers)
        match operation.name:
            case "observeproperty" | "subscribeevent":
                return await _hears(app, connection, received, base)
            case "readproperty":
                topic = f"{base}/read"
            case "writeproperty":
                topic = f"{base}/write"
            case _:
                topic = base
        await connection.send(Message(topic, operation.body, response_topic=answers))
        async with asyncio.timeout(WAIT_SECONDS):
            answer = await received.get()
        return _passed(json.loads(answer.payload)["status"] if _is_problem(answer) else 200)
    except MqttError:
        return Passed.FORBIDDEN  # the broker has said so
    finally:
        await connection.close()


async def _hears(app: App, connection: Any, received: Any, topic: str) -> Passed:
    """Whether something that happens now comes before a mark that comes after it."""
    await connection.subscribe(topic)
    lamp = app.servient.exposed(THING)
    await lamp.write_property("level", 9)
    lamp.emit_event("toggled", True)
    name = connection_name(connection)
    # Through the servient, since what it publishes is in order.
    await connection.send(Message(f"answers/{name}/x", b"mark"))
    await asyncio.sleep(0.3)
    heard = []
    while not received.empty():
        heard.append(received.get_nowait().topic)
    return Passed.YES if topic in heard else Passed.FORBIDDEN


def connection_name(connection: Any) -> str:
    name: str = connection._broker.username
    return name


def _is_problem(message: Message) -> bool:
    return message.content_type == "application/problem+json"


def _passed(status: int) -> Passed:
    return {401: Passed.UNKNOWN, 403: Passed.FORBIDDEN}.get(status, Passed.YES)


WIRES = {"http": over_http, "websocket": over_websocket, "coap": over_coap, "mqtt": over_mqtt}
# What a wire has no words for.
MISSING = {
    ("mqtt", "readallproperties"),
    ("mqtt", "writemultipleproperties"),
    ("mqtt", "queryaction"),
    ("mqtt", "cancelaction"),
}


def cells() -> Iterator[tuple[str, Operation]]:
    for wire in WIRES:
        yield from ((wire, each) for each in OPERATIONS if (wire, each.name) not in MISSING)


@pytest.mark.parametrize("wire", WIRES)
async def test_only_who_may_passes(app: App, wire: str, tmp_path: Path) -> None:
    found = {}
    expected = {}
    for kind, operation in cells():
        if kind != wire:
            continue
        for who in Who:
            found[operation.name, who] = await WIRES[wire](app, operation, who, tmp_path)
            expected[operation.name, who] = EXPECTED[who]
    assert found == expected


async def test_a_token_of_an_issuer_passes_as_long_as_it_holds(app: App) -> None:
    url = f"{app.addresses()['http']}/things/{THING}/properties/level"
    async with httpx.AsyncClient() as client:
        for scope, expires_in, status in (
            ("read", 60, 200),
            ("read", -60, 401),
            ("invoke", 60, 403),
        ):
            headers = {"Authorization": f"Bearer {issue(scope, expires_in)}"}
            assert (await client.get(url, headers=headers)).status_code == status


async def test_the_td_says_what_each_wire_takes(app: App) -> None:
    headers = {"Authorization": f"Bearer {PEOPLE['read']}"}
    async with httpx.AsyncClient(headers=headers) as client:
        answer = await client.get(f"{app.addresses()['http']}/things/{THING}")
    td = answer.json()
    assert validate_td(td) == []
    definitions = td["securityDefinitions"]
    assert "nosec" not in {each["scheme"] for each in definitions.values()}
    taken = {"http": "bearer", "ws": "bearer", "coap": "psk", "mqtt": "basic"}
    kinds = ("properties", "actions", "events")
    forms = [form for kind in kinds for each in td[kind].values() for form in each["forms"]]
    for form in forms + td["forms"]:
        (name,) = form["security"]
        assert definitions[name]["scheme"] == taken[form["href"].partition(":")[0]]
    assert {form["href"].partition(":")[0] for form in forms} == taken.keys()
    for text in PEOPLE.values():
        assert text not in answer.text
