"""Who may do what over MQTT: what the broker lets through, and what the servient does with it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from servient.bindings.mqtt.access import PASSWORD, BrokerAccess
from servient.bindings.mqtt.askers import Askers
from servient.bindings.mqtt.binding import MqttBinding
from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.bindings.mqtt.doorkeeper import Doorkeeper, Member
from servient.bindings.mqtt.topics import Request, Topics
from servient.mqtt.connection import Connection, connect
from servient.mqtt.errors import BrokerRefused, BrokerUnreachable, MqttError
from servient.mqtt.message import Broker, Message
from servient.security.secrets import hash_for_mosquitto
from servient.wot.access import Grant, Policy, Principal, Scope
from servient.wot.audit import audit
from servient.wot.entry import WoT
from servient.wot.operations import Operation
from servient.wot.servient import Servient
from tests.things import TD, expose_lamp
from tests.tools import needs
from thing_descriptions.validator import validate_td

PREFIX = "wasm-servient/guarded"
LAMP = f"{PREFIX}/things/lamp:1"
OTHER = f"{PREFIX}/things/other:1"
WAIT_SECONDS = 10.0

GRANTS = {
    "reader": Grant(frozenset({Scope.READ})),
    "caller": Grant(frozenset({Scope.INVOKE})),
    "both": Grant(frozenset({Scope.READ, Scope.INVOKE})),
    "deployer": Grant(frozenset({Scope.DEPLOY})),
    "admin": Grant(frozenset({Scope.ADMIN})),
    "elsewhere": Grant(frozenset({Scope.ADMIN}), "other:*"),
}


def password(name: str) -> str:
    return f"password-of-{name}"


@dataclass
class Client:
    connection: Connection
    received: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)

    async def hears(self, *topics: str) -> list[Message]:
        """What is there on these topics; a mark on an own topic says that this is all."""
        await self.connection.subscribe(*topics, self.mark)
        await self.connection.send(Message(self.mark, b"mark"))
        found = []
        async with asyncio.timeout(WAIT_SECONDS):
            while (message := await self.received.get()).topic != self.mark:
                found.append(message)
        return found

    async def next(self) -> Message:
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.received.get()

    mark: str = ""


@dataclass
class Served:
    broker: EmbeddedBroker
    binding: MqttBinding
    servient: Servient
    wot: WoT

    @contextlib.asynccontextmanager
    async def client(self, name: str | None, secret: str | None = None) -> AsyncIterator[Client]:
        client = Client(None, mark=f"answers/{name}/mark")  # type: ignore[arg-type] # it comes next
        secret = secret or (password(name) if name else None)
        broker = Broker(self.broker.host, self.broker.port, name, secret)
        client.connection = await connect(broker, client.received.put_nowait)
        try:
            yield client
        finally:
            await client.connection.close()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    needs("mosquitto")
    members = [
        Member(Principal(name, (grant,)), hash_for_mosquitto(password(name)))
        for name, grant in GRANTS.items()
    ]
    doorkeeper = Doorkeeper(members, Topics(PREFIX))
    async with EmbeddedBroker(doorkeeper=doorkeeper) as broker:
        binding = MqttBinding(
            broker.host,
            broker.port,
            prefix=PREFIX,
            username=doorkeeper.name,
            password=doorkeeper.password,
            access=BrokerAccess(
                doorkeeper.principal, PASSWORD, broker.admit, doorkeeper.principals
            ),
        )
        servient = Servient(policy=Policy(is_open=False))
        servient.add_server(binding)
        wot = await servient.start()
        expose_lamp(wot)
        expose_lamp(wot, "other:1")
        deploying = {**TD, "title": "Own", "id": "urn:test:own", "properties": {}, "events": {}}
        deploying["actions"] = {"deploy": {"synchronous": True, "wasm:scope": "deploy"}}
        own = wot.produce(deploying, name="own")

        async def deploy(_: Any) -> None:
            """That it is invoked is what counts, and who that was."""
            audit("deploy", "it")

        own.set_action_handler("deploy", deploy)
        own.expose()
        async with asyncio.timeout(WAIT_SECONDS):
            while not binding.is_up_to_date:
                await asyncio.sleep(0.01)
        try:
            yield Served(broker, binding, servient, wot)
        finally:
            await servient.shutdown()


@pytest.mark.parametrize(
    ("name", "secret"), [(None, None), ("reader", "wrong"), ("nobody", "x"), ("servient", "x")]
)
async def test_nobody_connects_without_right_credentials(
    served: Served, name: str | None, secret: str | None
) -> None:
    with pytest.raises(BrokerRefused):
        async with served.client(name, secret):
            pass


@pytest.mark.parametrize("name", GRANTS)
async def test_values_are_read_by_who_may_read(served: Served, name: str) -> None:
    async with served.client(name) as client:
        found = {message.topic for message in await client.hears("#", f"{LAMP}/#", f"{OTHER}/#")}
    seen = {base for base in (LAMP, OTHER) if any(topic.startswith(base) for topic in found)}
    assert seen == {
        "reader": {LAMP, OTHER},
        "both": {LAMP, OTHER},
        "admin": {LAMP, OTHER},
        "elsewhere": {OTHER},
    }.get(name, set())


REQUESTS = [
    (f"{LAMP}/actions/double", b'{"number": 4}', {"caller", "both", "admin"}),
    (f"{LAMP}/properties/level/write", b"7", {"caller", "both", "admin"}),
    (f"{LAMP}/properties/level/read", b"", {"reader", "both", "admin"}),
    (f"{OTHER}/properties/level/read", b"", {"reader", "both", "admin", "elsewhere"}),
    (f"{PREFIX}/things/own/actions/deploy", b"", {"deployer", "admin"}),
]


@pytest.mark.parametrize(("topic", "payload", "right"), REQUESTS)
@pytest.mark.parametrize("name", GRANTS)
async def test_a_request_takes_its_scope(
    served: Served, topic: str, payload: bytes, right: set[str], name: str
) -> None:
    async with served.client(name) as client:
        answers = f"answers/{name}/a"
        await client.connection.subscribe(answers)
        request = Message(topic, payload, response_topic=answers, correlation=b"1")
        if name not in right:
            with pytest.raises(MqttError):
                await client.connection.send(request)
            assert await client.hears() == []
            return
        await client.connection.send(request)
        answer = await client.next()
        assert answer.correlation == b"1"
        assert answer.content_type != "application/problem+json", answer.payload


async def test_an_answer_is_for_who_may_read_it(served: Served) -> None:
    topic = f"{LAMP}/actions/double"
    async with (
        served.client("both") as asker,
        served.client("caller") as caller,
        served.client("elsewhere") as other,
    ):
        for listener in (asker, caller, other):
            await listener.connection.subscribe(f"{topic}/+/output", "answers/both/#")
        await asker.connection.send(Message(f"{topic}/7", b'{"number": 4}'))
        answered = await asker.next()
        assert (answered.topic, answered.payload) == (f"{topic}/7/output", b"8")
        direct = Message(topic, b'{"number": 5}', response_topic="answers/both/x")
        await asker.connection.send(direct)
        assert (await asker.next()).payload == b"10"
        assert await caller.hears() == await other.hears() == []
        # Elsewhere, the broker would not let the asker read it: nothing is carried out.
        await asker.connection.send(Message(topic, b'{"number": 6}', response_topic="public/x"))
        await asker.hears()
    assert [each.output for each in served.servient.invocations] == [8, 10]


async def test_what_the_servient_says_nobody_else_can_say(served: Served) -> None:
    for name in GRANTS:
        async with served.client(name) as client:
            for topic in (
                f"{LAMP}/properties/level",
                f"{LAMP}/status",
                f"{LAMP}/events/toggled",
                f"{PREFIX}/status",
                f"{LAMP}/actions/double/1/output",
                "answers/somebody/x",
            ):
                with pytest.raises(MqttError):
                    await client.connection.send(Message(topic, b"1"))


async def test_things_that_come_and_go_are_let_in_and_out(served: Served) -> None:
    async with served.client("elsewhere") as client:
        await client.connection.subscribe(f"{PREFIX}/things/+/status")
        assert (await client.next()).topic == f"{OTHER}/status"
        for number in range(2, 6):
            expose_lamp(served.wot, f"other:{number}")
            topic = (await client.next()).topic
            assert topic == f"{PREFIX}/things/other:{number}/status"
        served.servient.remove_exposed_thing("Lamp other:2")
        assert (await client.next()).payload == b""
        async with asyncio.timeout(WAIT_SECONDS):
            while not served.binding.is_up_to_date:
                await asyncio.sleep(0.01)
        with pytest.raises(MqttError):
            gone = f"{PREFIX}/things/other:2/properties/level/read"
            await client.connection.send(Message(gone, response_topic="answers/elsewhere/x"))


async def test_the_record_names_who_may_have_asked(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "servient.audit")
    async with served.client("deployer") as client:
        topic = f"{PREFIX}/things/own/actions/deploy"
        await client.hears("answers/deployer/x")
        await client.connection.send(Message(topic, b"{}", response_topic="answers/deployer/x"))
        await client.next()
    assert "'one of deployer, admin' from the MQTT broker" in caplog.text


@pytest.mark.parametrize(
    ("operation", "affordance", "thing", "who"),
    [
        (Operation.INVOKE_ACTION, "double", "other:1", "one of caller, both, admin, elsewhere"),
        (Operation.INVOKE_ACTION, "deploy", "own", "one of deployer, admin"),
        (Operation.INVOKE_ACTION, "none", "none", "one of caller, both, admin"),
        (Operation.READ_PROPERTY, "level", "lamp:1", "one of reader, both, admin"),
    ],
)
async def test_who_may_have_asked(
    served: Served, operation: Operation, affordance: str, thing: str, who: str
) -> None:
    principals = tuple(Principal(name, (grant,)) for name, grant in GRANTS.items())
    request = Request(operation, thing, affordance, "a/topic")
    everybody = Principal("mqtt", tuple(GRANTS.values()))
    asker = Askers(served.servient, BrokerAccess(everybody, members=principals)).of(request)
    assert asker is not None
    assert asker.name == who
    only = Askers(served.servient, BrokerAccess(everybody, members=principals[4:5])).of(request)
    assert only == principals[4]
    nobody = Askers(served.servient, BrokerAccess(everybody, members=())).of(request)
    assert nobody == everybody
    assert Askers(served.servient, None).of(request) is None


async def test_amqtt_is_no_broker_for_this() -> None:
    doorkeeper = Doorkeeper([], Topics(PREFIX))
    with pytest.raises(BrokerUnreachable, match="mosquitto"):
        EmbeddedBroker(prefer="amqtt", doorkeeper=doorkeeper)


async def test_who_comes_by_another_broker_is_one_principal(served: Served) -> None:
    """Here the other broker is one that lets everybody in."""
    reader = Principal("guests", (GRANTS["elsewhere"],))
    async with EmbeddedBroker() as broker:
        for access, shown in ((None, set[str]()), (BrokerAccess(reader), {OTHER})):
            binding = MqttBinding(broker.host, broker.port, prefix=PREFIX, access=access)
            servient = Servient(policy=Policy(is_open=False))
            servient.add_server(binding)
            wot = await servient.start()
            lamp = expose_lamp(wot)
            expose_lamp(wot, "other:1")
            guest = Served(broker, binding, servient, wot)
            async with guest.client("x") as client:
                found = {message.topic for message in await client.hears(f"{PREFIX}/things/#")}
                seen = {b for b in (LAMP, OTHER) if any(t.startswith(b) for t in found)}
                assert seen == shown
                for base, is_right in ((LAMP, False), (OTHER, access is not None)):
                    topic = f"{base}/actions/double"
                    request = Message(topic, b'{"number": 4}', response_topic="answers/x/y")
                    await client.connection.subscribe("answers/x/y")
                    await client.connection.send(request)
                    while (answer := await client.next()).topic != "answers/x/y":
                        pass  # everybody hears everything here
                    assert (answer.payload == b"8") is is_right
            if access is not None:
                assert servient.td(lamp)["securityDefinitions"] == {
                    "mqtt_auto_sc": {"scheme": "auto"}
                }
            await servient.shutdown()


def test_the_forms_say_so(served: Served) -> None:
    td = served.servient.td(served.servient.exposed("lamp:1"))
    assert validate_td(td) == []
    assert td["securityDefinitions"]["mqtt_basic_sc"] == {"scheme": "basic", "in": "auto"}
    assert td["actions"]["double"]["forms"][0]["security"] == ["mqtt_basic_sc"]
