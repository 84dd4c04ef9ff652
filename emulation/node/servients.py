"""The servients of nodes: one for a program's Things, or one that runs modules."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from emulation.node.file_server import serve_files
from emulation.topology.node import Node
from emulation.topology.topology import TopologyPorts
from servient.app import App
from servient.bindings.coap.binding import CoapBinding
from servient.bindings.http.binding import HttpBinding
from servient.bindings.mqtt.binding import MqttBinding
from servient.bindings.websocket.binding import WebSocketBinding
from servient.clients.coap import CoapClient
from servient.clients.http import HttpClient
from servient.clients.mqtt import MqttClient
from servient.clients.websocket import WebSocketClient
from servient.config import load_config
from servient.wot.binding import Binding
from servient.wot.catalogue import close_catalogue, serve_catalogue
from servient.wot.entry import WoT
from servient.wot.servient import Servient

EVERYWHERE = "0.0.0.0"  # noqa: S104 - in a network of the emulation's own


@contextlib.asynccontextmanager
async def clients() -> AsyncIterator[list[Any]]:
    """One for each protocol, in the order in which they are preferred."""
    made: list[Any] = [HttpClient(), WebSocketClient(), CoapClient(), MqttClient()]
    try:
        yield made
    finally:
        for client in made:
            await client.close()


@contextlib.asynccontextmanager
async def program_servient(host: str, node: Node, ports: TopologyPorts) -> AsyncIterator[WoT]:
    """A servient for the Things of a program, with its catalogue."""
    async with clients() as made:
        servient = Servient(
            hostname=host,
            clients=made,
            catalogue_port=ports.catalogue,
            catalogue_host=EVERYWHERE,
        )
        for protocol in node.app.protocols:
            servient.add_server(_binding(protocol, host, node, ports))
        try:
            yield await servient.start()
        finally:
            await servient.shutdown()


def _binding(protocol: str, host: str, node: Node, ports: TopologyPorts) -> Binding:
    match protocol:
        case "http":
            return HttpBinding(host, EVERYWHERE, ports.http)
        case "websocket":
            return WebSocketBinding(host, EVERYWHERE, ports.ws)
        case "coap":
            return CoapBinding(host, EVERYWHERE, ports.coap)
        case _:
            assert node.broker_host is not None  # noqa: S101 - a node with MQTT has one
            return MqttBinding(node.broker_host, ports.mqtt, prefix=host.replace(".", "/"))


@contextlib.asynccontextmanager
async def wasm_servient(
    name: str, host: str, node: Node, ports: TopologyPorts, folder: Path
) -> AsyncIterator[tuple[App, WoT]]:
    """A servient that has deployed what its node says, with its catalogue.

    The entry point is another servient's, with clients: that of a program beside it.
    """
    assert node.app.servient is not None  # noqa: S101 - whoever calls has looked
    settings: dict[str, Any] = {
        "name": name.replace(".", "-"),
        "host": EVERYWHERE,
        "insecure": True,
        "public_host": host,
        "port": ports.http,
        "websocket_port": ports.ws,
        "coap_port": ports.coap,
        "mqtt_port": ports.mqtt,
        "bindings": node.app.protocols or ("http",),
        "instance_path": folder / "instance",
        "announce": False,
        "module_origins": "0.0.0.0/0, ::/0",  # there is nothing in it but what the emulation put there
        **node.app.servient.settings,
    }
    if node.broker_host:
        settings["mqtt_broker"] = f"mqtt://{node.broker_host}:{ports.mqtt}"
    async with App(load_config(**settings)) as app, clients() as made:
        for document in node.app.servient.deploys:
            await _deploy(app, Path(document))
        catalogue = serve_catalogue(app.servient, EVERYWHERE, ports.catalogue)
        consuming = Servient(hostname=host, clients=made)
        try:
            yield app, await consuming.start()
        finally:
            await consuming.shutdown()
            await close_catalogue(catalogue)


async def _deploy(app: App, manifest: Path) -> None:
    """Deploy a manifest whose URLs are names of files beside it."""
    document = json.loads(await asyncio.to_thread(manifest.read_text))
    async with serve_files(manifest.parent) as origin:
        for module in document.get("modules", []) if isinstance(document, dict) else []:
            module["urls"] = _with_origin(module["urls"], origin)
        await app.deployer.deploy(document)


def _with_origin(urls: Any, origin: str) -> Any:
    if isinstance(urls, dict):
        return {name: _with_origin(value, origin) for name, value in urls.items()}
    return f"{origin}/{urls}" if isinstance(urls, str) else urls
