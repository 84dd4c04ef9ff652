"""Deploy the Fibonacci example on a servient of its own and use it over every protocol.

Everything here is what any user can do: the servient is the command `wasm-servient run`, the
deployment is the orchestrator's `POST /deploy`, and the consumers are WoTPy's with our clients.
"""

import argparse
import asyncio
import contextlib
import functools
import http.server
import json
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx

from servient.clients.coap import CoapClient
from servient.clients.http import HttpClient
from servient.clients.mqtt import MqttClient
from servient.clients.websocket import WebSocketClient
from servient.wot.entry import WoT
from servient.wot.servient import Servient

EXAMPLES = Path(__file__).parent
PROTOCOLS = {
    "HTTP": HttpClient,
    "CoAP": CoapClient,
    "WebSockets": WebSocketClient,
    "MQTT": MqttClient,
}
INPUT = {"iterations": 7}
EXPECTED = 21
PATIENCE_SECONDS = 20.0


async def main() -> None:
    arguments = parse_arguments()
    step("Start a servient", "wasm-servient run")
    async with running_servient() as addresses:
        for protocol, address in addresses.items():
            print(f"   {protocol:>9}  {address}")
        with serving(EXAMPLES) as files:
            thing = await deploy(addresses["http"], files)
        for protocol, client_class in PROTOCOLS.items():
            await use(protocol, client_class(), f"{addresses['http']}/things/{thing}")
        print(
            f"\nOne function, one Thing, four protocols. Its description: {addresses['http']}/things/{thing}"
        )
        if not arguments.once:
            print(f"The same in a browser: {addresses['http']}/")
            print("The servient keeps running; stop it with Ctrl-C.")
            await until_interrupted()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--once", action="store_true", help="end when every step has been shown")
    return parser.parse_args()


def step(title: str, command: str) -> None:
    print(f"\n== {title}\n   $ {command}", flush=True)


@contextlib.asynccontextmanager
async def running_servient() -> AsyncIterator[dict[str, str]]:
    """A servient in a process of its own, on its default ports where they are free."""
    with tempfile.TemporaryDirectory(prefix="wasm-servient-demo-") as folder:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "servient", "run", "--json", "--log-level", "warning"),
            *("--port", str(free_or_any(5000))),
            *("--websocket-port", str(free_or_any(5001))),
            *("--coap-port", str(free_or_any(5683, socket.SOCK_DGRAM))),
            *("--instance-path", folder),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
            if not line:
                sys.exit("The servient did not start; what it says stands above.")
            yield json.loads(line)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)


def free_or_any(port: int, kind: int = socket.SOCK_STREAM) -> int:
    """The port if it is free, else 0: the servient then takes any."""
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The folder over HTTP, as an orchestrator serves modules; yields the origin."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


async def deploy(servient: str, files: str) -> str:
    """Post the manifest, its URLs pointing to where the files are; returns the Thing's name."""
    text = (EXAMPLES / "fibonacci" / "manifest.json").read_text()
    manifest = json.loads(text.replace("http://localhost:8000", files))
    step(
        "Deploy a WebAssembly module",
        f"curl --json @examples/fibonacci/manifest.json {servient}/deploy",
    )
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        answer = await client.post(f"{servient}/deploy", json=manifest)
        print(f"   {answer.text}")
        answer.raise_for_status()
        deployments = (await client.get(f"{servient}/deploy")).json()["deployments"]
    return str(deployments[-1]["things"][0])


async def use(protocol: str, client: Any, td_url: str) -> None:
    """Observe the result property and invoke the action, over one protocol only."""
    step(f"Invoke over {protocol}", f"thing.invoke_action('fibo', {INPUT})")
    wot = WoT(Servient(clients=[client]))
    try:
        async with httpx.AsyncClient() as http_client:
            td = (await http_client.get(td_url)).text
        thing = wot.consume(td)
        observed: asyncio.Queue[Any] = asyncio.Queue()
        subscription = thing.properties["fibo_result"].subscribe(
            on_next=lambda change: observed.put_nowait(change.data.value),
            on_error=observed.put_nowait,
        )
        # Another consumer may have left a value already: what counts is the change that we cause.
        await asyncio.sleep(0.5)
        while not observed.empty():
            observed.get_nowait()
        output = await thing.invoke_action("fibo", INPUT)
        print(f"   result    {output}")
        change = await asyncio.wait_for(observed.get(), PATIENCE_SECONDS)
        print(f"   observed  fibo_result = {change}")
        print(f"   read      fibo_result = {await thing.read_property('fibo_result')}")
        subscription.dispose()
        if (output, change) != (EXPECTED, EXPECTED):
            sys.exit(f"{EXPECTED} was expected over {protocol}.")
    finally:
        await client.close()


async def until_interrupted() -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main())
