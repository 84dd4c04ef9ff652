"""The servient under test: the command as users run it, with the Fibonacci example deployed."""

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.load.targets import CoapTarget, HttpTarget, MqttTarget, WebSocketTarget
from benchmarks.peers.contender import Contender, Operation, Wire
from benchmarks.peers.deploying import ask, deploy, fibonacci_manifest
from benchmarks.peers.process import Process, running

THING = "fibonacci-1:fibonacci"
INPUT = '{"iterations":7}'
GET, POST = 1, 2


@dataclass(frozen=True, slots=True)
class Servient:
    """Addresses are as it prints them: URLs by protocol."""

    process: Process
    addresses: dict[str, str]

    @property
    def http(self) -> str:
        return self.addresses["http"]


@contextlib.contextmanager
def servient(broker_port: int | None = None, *options: str) -> Iterator[Servient]:
    """One with all four bindings on free ports; without a broker, with its own."""
    broker = ("--mqtt-broker", f"mqtt://127.0.0.1:{broker_port}") if broker_port else ()
    with tempfile.TemporaryDirectory() as folder:
        command = (
            *(sys.executable, "-m", "servient", "run", "--json"),
            *("--port", "0", "--websocket-port", "0", "--coap-port", "0", "--mqtt-port", "0"),
            *("--instance-path", folder, *broker, *options),
        )
        with running("servient", command) as process:
            yield Servient(process, json.loads(process.said))


@contextlib.contextmanager
def ours(origin: str, broker_port: int) -> Iterator[Contender]:
    with servient(broker_port) as running_servient:
        deploy(running_servient.http, fibonacci_manifest(origin))
        thing = f"{running_servient.http}/things/{THING}"
        ask(f"{thing}/actions/fibo", json.loads(INPUT))  # so that there is a result to be read
        identifier = ask(thing)["id"]
        yield Contender(
            "ours",
            "this servient",
            running_servient.process,
            {
                **_http(running_servient.http),
                **_coap(running_servient.addresses["coap"]),
                **_websocket(running_servient.addresses["websocket"], identifier),
                **_mqtt(running_servient.addresses["mqtt"]),
            },
        )


def _http(origin: str) -> dict[tuple[Wire, Operation], HttpTarget]:
    thing = f"{origin}/things/{THING}"
    function = f"{origin}/fibonacci-1/modules/fibonacci/fibo?iterations=7"
    return {
        (Wire.HTTP, Operation.INVOKE): HttpTarget(f"{thing}/actions/fibo", "21", "POST", INPUT),
        (Wire.HTTP, Operation.READ): HttpTarget(f"{thing}/properties/fibo_result", "21"),
        (Wire.HTTP, Operation.ORCHESTRATOR): HttpTarget(
            function, '"result":["21",null]', follows=True
        ),
    }


def _coap(address: str) -> dict[tuple[Wire, Operation], CoapTarget]:
    url = urlsplit(address)
    host, port = url.hostname or "", url.port or 0
    action = ("things", THING, "actions", "fibo")
    result = ("things", THING, "properties", "fibo_result")
    return {
        (Wire.COAP, Operation.INVOKE): CoapTarget(host, port, POST, action, "21", payload=INPUT),
        (Wire.COAP, Operation.READ): CoapTarget(host, port, GET, result, "21"),
    }


def _websocket(address: str, identifier: str) -> dict[tuple[Wire, Operation], WebSocketTarget]:
    url = urlsplit(address)

    def target(operation: str, name: str, value: str, more: str = "") -> WebSocketTarget:
        message = (
            f'{{"thingID":"{identifier}","messageID":"%d","messageType":"request",'
            f'"operation":"{operation}","name":"{name}"{more}}}'
        )
        path = f"/things/{THING}"
        return WebSocketTarget(
            *(url.hostname or "", url.port or 0, path, message, "correlationID", value, 21),
            subprotocol="webthingprotocol",
        )

    more = f',"input":{INPUT}'
    return {
        (Wire.WEBSOCKET, Operation.INVOKE): target("invokeaction", "fibo", "output", more),
        (Wire.WEBSOCKET, Operation.READ): target("readproperty", "fibo_result", "value"),
    }


def _mqtt(address: str) -> dict[tuple[Wire, Operation], MqttTarget]:
    url = urlsplit(address)
    host, port, prefix = url.hostname or "", url.port or 0, url.path.strip("/")
    thing = f"{prefix}/things/{THING}"
    return {
        (Wire.MQTT, Operation.INVOKE): MqttTarget(
            host, port, f"{thing}/actions/fibo", "load/ours", INPUT, "21"
        ),
        (Wire.MQTT, Operation.READ): MqttTarget(
            host, port, f"{thing}/properties/fibo_result/read", "load/ours", "", "21"
        ),
    }
