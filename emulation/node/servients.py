"""The servients of nodes: one for a program's Things, or one that runs modules."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Where:
    """The name that a replica has in its networks, and what its servers listen on."""

    host: str
    address: str
    ports: TopologyPorts


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
async def program_servient(where: Where, node: Node) -> AsyncIterator[WoT]:
    """A servient for the Things of a program, with its catalogue."""
    async with clients() as made:
        servient = Servient(
            hostname=where.host,
            clients=made,
            catalogue_port=where.ports.catalogue,
            catalogue_host=where.address,
        )
        for protocol in node.app.protocols:
            servient.add_server(_binding(protocol, where, node))
        try:
            yield await servient.start()
        finally:
            await servient.shutdown()


def _binding(protocol: str, where: Where, node: Node) -> Binding:
    host, address, ports = where.host, where.address, where.ports
    match protocol:
        case "http":
            return HttpBinding(host, address, ports.http)
        case "websocket":
            return WebSocketBinding(host, address, ports.ws)
        case "coap":
            return CoapBinding(host, address, ports.coap)
        case _:
            assert node.broker_host is not None  # noqa: S101 - a node with MQTT has one
            return MqttBinding(node.broker_host, ports.mqtt, prefix=host.replace(".", "/"))


@contextlib.asynccontextmanager
async def wasm_servient(
    name: str, where: Where, node: Node, folder: Path
) -> AsyncIterator[tuple[App, WoT]]:
    """A servient that has deployed what its node says, with its catalogue.

    The entry point is another servient's, with clients: that of a program beside it.
    """
    assert node.app.servient is not None  # noqa: S101 - whoever calls has looked
    host, ports = where.host, where.ports
    settings: dict[str, Any] = {
        "name": name.replace(".", "-"),
        "host": where.address,
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
        catalogue = serve_catalogue(app.servient, where.address, ports.catalogue)
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
