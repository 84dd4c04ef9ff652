"""The peers and the ceilings, started and ready to be asked."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load.targets import CoapTarget, HttpTarget, MqttTarget, WebSocketTarget
from benchmarks.peers.contender import Contender, Operation, Wire
from benchmarks.peers.deploying import EXAMPLES, FIBO
from benchmarks.peers.echo_paho import REQUESTS
from benchmarks.peers.ports import free_port, free_udp_port
from benchmarks.peers.process import running

HOST = "127.0.0.1"
INPUT = '{"iterations":7}'
GET, POST = 1, 2
NODE_WOT = Path(__file__).parent / "node_wot"
MODULE = str(EXAMPLES / FIBO)


def _python(name: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.peers.{name}", *map(str, arguments)]


@contextlib.contextmanager
def node_wot(broker_port: int) -> Iterator[Contender]:
    """Its packages are installed when they are missing. Raises LookupError without Node.js."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise LookupError("Node.js or npm is not installed: apt-get install nodejs npm")
    if not (NODE_WOT / "node_modules").is_dir():
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=NODE_WOT, check=True)
    http, coap = free_port(), free_udp_port()
    command = [node, "thing.mjs", MODULE, str(http), str(coap), f"mqtt://{HOST}:{broker_port}"]
    with running("node-wot", command, NODE_WOT) as process:
        thing = f"http://{HOST}:{http}/nodefibonacci"
        topic = "nodefibonacci"
        yield Contender(
            "nodewot",
            "node-wot",
            process,
            {
                (Wire.HTTP, Operation.INVOKE): HttpTarget(
                    f"{thing}/actions/fibo", "21", "POST", INPUT
                ),
                (Wire.HTTP, Operation.READ): HttpTarget(f"{thing}/properties/fibo_result", "21"),
                (Wire.COAP, Operation.INVOKE): CoapTarget(
                    *(HOST, coap, POST, ("nodefibonacci", "actions", "fibo"), "21"), payload=INPUT
                ),
                (Wire.COAP, Operation.READ): CoapTarget(
                    HOST, coap, GET, ("nodefibonacci", "properties", "fibo_result"), "21"
                ),
                # No output comes back over MQTT there: the event tells it, without correlation.
                (Wire.MQTT, Operation.INVOKE): MqttTarget(
                    *(HOST, broker_port, f"{topic}/actions/fibo_told"),
                    *(f"{topic}/events/fibo_completed", INPUT, "21"),
                    is_answered=False,
                ),
            },
        )


@contextlib.contextmanager
def plain_wotpy(broker_port: int) -> Iterator[Contender]:
    http, websocket, coap = free_port(), free_port(), free_udp_port()
    command = _python("plain_wotpy", MODULE, http, websocket, coap, broker_port)
    with running("plain WoTPy", command) as process:
        thing = f"http://{HOST}:{http}/fibonacci"
        query = ("thing=fibonacci",)

        def message(method: str, parameters: str) -> WebSocketTarget:
            text = f'{{"jsonrpc":"2.0","method":"{method}","params":{parameters},"id":%d}}'
            return WebSocketTarget(HOST, websocket, "/fibonacci", text, "id", "result", 21)

        yield Contender(
            "wotpy",
            "plain WoTPy",
            process,
            {
                (Wire.HTTP, Operation.INVOKE): HttpTarget(
                    f"{thing}/action/fibo", "21", "POST", INPUT
                ),
                (Wire.HTTP, Operation.READ): HttpTarget(f"{thing}/property/fibo_result", "21"),
                (Wire.COAP, Operation.INVOKE): CoapTarget(
                    *(HOST, coap, POST, ("action",), "21", (*query, "name=fibo"), INPUT)
                ),
                (Wire.COAP, Operation.READ): CoapTarget(
                    HOST, coap, GET, ("property",), "21", (*query, "name=fibo-result")
                ),
                (Wire.WEBSOCKET, Operation.INVOKE): message(
                    "invoke_action", f'{{"name":"fibo","parameters":{INPUT}}}'
                ),
                (Wire.WEBSOCKET, Operation.READ): message(
                    "read_property", '{"name":"fibo_result"}'
                ),
                (Wire.MQTT, Operation.INVOKE): MqttTarget(
                    *(HOST, broker_port, "plain/action/invocation/fibonacci/fibo"),
                    *("plain/action/result/fibonacci/fibo", f'{{"id":1,"input":{INPUT}}}', "21"),
                    is_answered=False,
                ),
            },
        )


@contextlib.contextmanager
def uvicorn() -> Iterator[Contender]:
    port = free_port()
    with running("uvicorn", _python("hello_uvicorn", port)) as process:
        hello = HttpTarget(f"http://{HOST}:{port}/", "21")
        targets = {(Wire.HTTP, each): hello for each in (Operation.INVOKE, Operation.READ)}
        yield Contender("uvicorn", "uvicorn hello (ceiling)", process, targets)


@contextlib.contextmanager
def tornado() -> Iterator[Contender]:
    """Its echo gets what our servient gets, and a result that it can send back."""
    port = free_port()
    with running("tornado", _python("hello_tornado", port)) as process:
        hello = HttpTarget(f"http://{HOST}:{port}/", "21")
        echoes = _echoes(HOST, port, "/echo")
        targets = {(Wire.HTTP, each): hello for each in (Operation.INVOKE, Operation.READ)}
        yield Contender("tornado", "tornado hello, echo (ceiling)", process, {**targets, **echoes})


@contextlib.contextmanager
def aiocoap() -> Iterator[Contender]:
    port = free_udp_port()
    with running("aiocoap", _python("hello_aiocoap", port)) as process:
        hello = (HOST, port)
        yield Contender(
            "aiocoap",
            "aiocoap hello (ceiling)",
            process,
            {
                (Wire.COAP, Operation.INVOKE): CoapTarget(
                    *hello, POST, ("hello",), "21", payload=INPUT
                ),
                (Wire.COAP, Operation.READ): CoapTarget(*hello, GET, ("hello",), "21"),
            },
        )


@contextlib.contextmanager
def paho(broker_port: int) -> Iterator[Contender]:
    with running("paho", _python("echo_paho", broker_port)) as process:
        echo = MqttTarget(HOST, broker_port, REQUESTS, "load/echo", "21", "21")
        targets = {(Wire.MQTT, each): echo for each in (Operation.INVOKE, Operation.READ)}
        yield Contender("paho", "paho echo (ceiling)", process, targets)


@contextlib.contextmanager
def raw(broker_port: int) -> Iterator[Contender]:
    """Over MQTT it is the broker that sends to the generator what it published itself."""
    http, websocket, coap = free_port(), free_port(), free_udp_port()
    with running("raw", _python("raw", http, websocket, coap)) as process:
        hello = HttpTarget(f"http://{HOST}:{http}/", "21")
        datagram = CoapTarget(HOST, coap, GET, ("hello",), "21")
        loop = MqttTarget(HOST, broker_port, "load/loop", "load/loop", "21", "21")
        both = (Operation.INVOKE, Operation.READ)
        yield Contender(
            "raw",
            "bare sockets (the generator's limit)",
            process,
            {
                **{(Wire.HTTP, each): hello for each in both},
                **{(Wire.COAP, each): datagram for each in both},
                **_echoes(HOST, websocket, "/"),
                **{(Wire.MQTT, each): loop for each in both},
            },
        )


def _echoes(host: str, port: int, path: str) -> dict[tuple[Wire, Operation], WebSocketTarget]:
    """Messages like those of our dialect, which have their answer in them."""
    head = (
        '{"thingID":"urn:uuid:00000000-0000-4000-8000-000000000000","messageType":"request",'
        '"messageID":"%d","operation":'
    )
    asked = {
        Operation.INVOKE: f'"invokeaction","name":"fibo","input":{INPUT},"output":21}}',
        Operation.READ: '"readproperty","name":"fibo_result","output":21}',
    }
    return {
        (Wire.WEBSOCKET, operation): WebSocketTarget(
            host, port, path, head + rest, "messageID", "output", 21
        )
        for operation, rest in asked.items()
    }
