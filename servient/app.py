"""The composition root: builds everything from settings, starts it and stops it."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from converters.openapi.writing import to_openapi
from servient.bindings.coap.binding import CoapBinding
from servient.bindings.device import DeviceRoutes, Machine
from servient.bindings.fixed_paths import fixed_paths
from servient.bindings.http.binding import HttpBinding
from servient.bindings.http.documents import Documents
from servient.bindings.http.extension import Extension
from servient.bindings.http.probes import Probes
from servient.bindings.mqtt.binding import MqttBinding
from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.bindings.openapi import OpenApiRoute
from servient.bindings.orchestrator.routes import OrchestratorRoutes
from servient.bindings.websocket.binding import WebSocketBinding
from servient.config import BindingName, Config, ConfigError, is_loopback
from servient.deployment.chain import Chains
from servient.deployment.deployer import Deployer, DeployerSettings
from servient.deployment.fetch import Fetcher
from servient.deployment.origins import Origins
from servient.deployment.own_steps import OwnSteps
from servient.deployment.reach import Reach, parse_reach
from servient.deployment.servient_thing import ServientThing
from servient.deployment.step_client import StepClient, StepLimits
from servient.deployment.trust import Trust, to_trust
from servient.discovery.announcer import Announcer
from servient.discovery.directory import DirectoryEntries
from servient.discovery.orchestrator import Orchestrator
from servient.discovery.registration import Pace, Registration, nothing
from servient.discovery.service import Service, find_address
from servient.entrance import Entrance
from servient.journal import Journal
from servient.security.authenticator import Authenticator
from servient.security.orchestrator_address import OrchestratorAddress
from servient.storage.store import Store
from servient.telemetry.machine import Health, describe_platform
from servient.telemetry.shipper import LogShipper, Sender
from servient.version import VERSION
from servient.wasm.engine import Engine
from servient.wasm.imports.standard import ImportSettings, build_namespaces
from servient.wasm.removal import remove_tree
from servient.wasm.types import Limits
from servient.wot.binding import Binding
from servient.wot.content import Content
from servient.wot.entry import WoT
from servient.wot.invocations import Bounds, Invocations
from servient.wot.servient import INVOCATION_DEADLINE_SECONDS, Servient
from thing_descriptions.models import load_vocabulary

logger = logging.getLogger(__name__)

SERVIENT_THING = "servient"
# What is bounded more closely elsewhere ends there, and is told of in the words of that place.
DEADLINE_MARGIN_SECONDS = 10.0
SCHEMES: dict[str, str] = {"http": "http", "websocket": "ws", "coap": "coap"}


@dataclass(frozen=True, slots=True)
class Broker:
    """The MQTT broker in use, and how it came to be."""

    host: str
    port: int
    kind: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class App:
    """A running servient, between entering and leaving its `async with` block.

    `wot` is the entry point for programs that put Things of their own beside the deployed ones.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.bindings: dict[BindingName, Binding] = {}
        self.broker: Broker | None = None
        self.wot: WoT
        self.deployer: Deployer
        self._entrance = Entrance(config)
        self._embedded: EmbeddedBroker | None = None
        self._servient = Servient(
            hostname=config.reachable_host,
            invocation_deadline_seconds=max(
                INVOCATION_DEADLINE_SECONDS,
                config.module_timeout_seconds + DEADLINE_MARGIN_SECONDS,
                config.chain_timeout_seconds + DEADLINE_MARGIN_SECONDS,
            ),
            policy=self._entrance.policy,
        )
        self._reach = _reach(config)
        self._trust = _trust(config)
        self._stack = contextlib.AsyncExitStack()
        self._routes: tuple[Extension, ...] = ()

    @property
    def servient(self) -> Servient:
        return self._servient

    def addresses(self) -> dict[str, str]:
        """Where consumers find this servient, by protocol."""
        host = self.config.reachable_host
        authority = f"[{host}]" if ":" in host else host
        found: dict[str, str] = {
            name: f"{SCHEMES[name]}{self._secured(name)}://{authority}:{binding.port}"
            for name, binding in self.bindings.items()
            if name in SCHEMES
        }
        if self.broker is not None:
            found["mqtt"] = (
                f"mqtt://{self.broker.host}:{self.broker.port}/{self.config.topic_prefix}"
            )
        return found

    def _secured(self, binding: str) -> str:
        """What TLS adds to the scheme of a URL."""
        return "s" if self._entrance.certificate and binding in ("http", "websocket") else ""

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def drain(self) -> None:
        """Begin no more invocations, and give those that run time to end; then leave the block.

        What is still running then is cancelled, and its record says so.
        """
        left = await self._servient.invocations.drain(self.config.drain_seconds)
        if left:
            logger.warning("%d invocations have not ended in time: they are cancelled", left)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        config = self.config
        await asyncio.to_thread(config.instance_path.mkdir, 0o700, parents=True, exist_ok=True)
        # First of all: it says whether another servient uses the folder.
        store = await self._stack.enter_async_context(Store(config.instance_path))
        bounds = Bounds(history=config.history_limit, age_seconds=config.history_age_seconds)
        kept, next_number = await store.invocations.restore()
        self._servient.invocations = Invocations(bounds, store.invocations, kept, next_number)
        modules_path = await asyncio.to_thread(_prepare_folder, config.instance_path)
        servient_id = await asyncio.to_thread(_servient_id, config.instance_path)
        limits = Limits(memory_bytes=config.module_memory_bytes)
        imports = _import_settings(config)
        engine = await self._stack.enter_async_context(
            Engine(limits, config.instance_path / "compiled", build_namespaces(imports))
        )
        if "mqtt" in config.bindings:
            self.broker = await self._find_broker()
        address = await find_address(config.reachable_host)
        file = config.instance_path / "orchestrator.json"
        orchestrator = Orchestrator(file, config.orchestrator_url)
        reach = replace(self._reach, orchestrator=lambda: orchestrator.url)
        fetcher = await self._stack.enter_async_context(Fetcher(reach))
        shipper = LogShipper(orchestrator, Sender(config.name, address or config.reachable_host))
        if config.external_logging:
            await self._stack.enter_async_context(shipper)
        journal = Journal(shipper if config.external_logging else None)
        figures = Health()
        machine = Machine(figures, describe_platform, engine.offered_imports())
        self._routes = (
            OrchestratorRoutes(self._servient, SERVIENT_THING, journal),
            DeviceRoutes(self._servient, SERVIENT_THING, machine, orchestrator, journal),
            OpenApiRoute(self._servient, partial(_describe_api, config.name)),
            Probes(lambda: not self._servient.invocations.is_draining),
            Documents({"vocabulary": Content(load_vocabulary(), "application/ld+json")}),
        )
        if self._entrance.certificate is not None:
            await self._stack.enter_async_context(self._entrance.certificate)
        authenticator = self._entrance.authenticator(OrchestratorAddress(lambda: orchestrator.url))
        for name in config.bindings:
            self.bindings[name] = self._build(name, servient_id, authenticator)
            self._servient.add_server(self.bindings[name])
        settings = DeployerSettings(
            modules_path,
            servient_id,
            config.module_timeout_seconds,
            limits,
            journal,
            imports,
            isolates_all=config.isolate_modules,
            environment=config.module_environment,
            stateless_modules=frozenset(config.stateless_modules),
            trust=self._trust,
        )
        chains = await self._make_chains(journal)
        self.deployer = Deployer(
            self._servient, engine, fetcher, store.deployments, chains, settings
        )
        self._stack.push_async_callback(self.deployer.close)
        await self.deployer.restore()

        def health() -> dict[str, Any]:
            return {**figures(), "logs": shipper.counts()}

        own = ServientThing(self._servient, self.deployer, health, describe_platform)
        own.expose(WoT(self._servient), SERVIENT_THING, config.name, servient_id)
        self._stack.push_async_callback(self._servient.shutdown)
        self.wot = await self._servient.start()
        if "http" in self.bindings:
            port = self.bindings["http"].port
            await self._be_found(address, port, servient_id, orchestrator)
        if config.directory_url:
            entries = DirectoryEntries(self._servient, config.directory_url)
            await self._stack.enter_async_context(entries)

    async def _make_chains(self, journal: Journal) -> Chains:
        """Those of deployed functions, when the bindings are made."""
        limits = StepLimits(self.config.chain_timeout_seconds)
        tokens = {o: each.get_secret_value() for o, each in self.config.chain_tokens.items()}
        client = await self._stack.enter_async_context(StepClient(limits, tokens))
        origins = Origins(self.config.own_hosts, self.bindings.get("http"))
        own_steps = OwnSteps(self._servient, origins, limits.deadline_seconds)
        return Chains(own_steps, client, journal)

    async def _be_found(
        self, address: str | None, port: int, servient_id: str, orchestrator: Orchestrator
    ) -> None:
        """Announce the servient and register it, as far as that is wanted."""
        config = self.config
        if address is None:
            if config.is_announced or config.orchestrator_url:
                message = "nobody is told of this servient: %s has no IPv4 address"
                logger.warning(message, config.reachable_host)
            return
        if is_loopback(config.host) and not is_loopback(address):
            message = "others are told to come to %s, and this servient listens on %s: set `host`"
            logger.warning(message, address, config.host)
        coap = self.bindings.get("coap")
        service = Service(
            config.name, address, port, servient_id, coap_port=coap.port if coap else None
        )
        announce = nothing
        if config.is_announced:
            announcer = Announcer(
                service,
                interface=str(config.announce_interface) if config.announce_interface else None,
                withdraws=config.withdraw_on_stop,
            )
            announce = (await self._stack.enter_async_context(announcer)).repeat
        pace = Pace(renewal_seconds=config.register_renewal_seconds)
        registration = Registration(orchestrator, service, pace, announce)
        await self._stack.enter_async_context(registration)

    async def _find_broker(self) -> Broker:
        """The configured broker, else a private one on a port of its own."""
        if self.config.mqtt_broker:
            url = urlsplit(self.config.mqtt_broker)
            host = url.hostname or "127.0.0.1"
            return Broker(host, url.port or 1883, "configured", url.username, url.password)
        doorkeeper = self._entrance.doorkeeper
        embedded = EmbeddedBroker(
            "127.0.0.1",
            self.config.mqtt_port,
            prefer=self.config.embedded_broker,
            doorkeeper=doorkeeper,
        )
        broker = self._embedded = await self._stack.enter_async_context(embedded)
        name, password = (doorkeeper.name, doorkeeper.password) if doorkeeper else (None, None)
        return Broker(broker.host, broker.port, broker.kind, name, password)

    def _build(
        self, name: BindingName, servient_id: str, authenticator: Authenticator | None
    ) -> Binding:
        config, public_host = self.config, self.config.reachable_host
        certificate = self._entrance.certificate
        tls = certificate.context if certificate else None
        match name:
            case "http":
                return HttpBinding(
                    public_host,
                    config.host,
                    config.port,
                    directory_thing=SERVIENT_THING,
                    extensions=self._routes,
                    body_limit_bytes=config.body_limit_bytes,
                    authenticator=authenticator,
                    tls=tls,
                )
            case "websocket":
                return WebSocketBinding(
                    public_host,
                    config.host,
                    config.real_websocket_port,
                    message_limit_bytes=config.body_limit_bytes,
                    authenticator=authenticator,
                    tls=tls,
                )
            case "coap":
                return CoapBinding(
                    public_host,
                    config.host,
                    config.coap_port,
                    body_limit_bytes=config.body_limit_bytes,
                    directory_thing=SERVIENT_THING,
                    oscore=self._entrance.oscore,
                )
            case "mqtt":
                assert self.broker is not None  # noqa: S101 - found before any binding is built
                return MqttBinding(
                    self.broker.host,
                    self.broker.port,
                    prefix=config.topic_prefix,
                    username=self.broker.username,
                    password=self.broker.password,
                    payload_limit_bytes=config.body_limit_bytes,
                    client_id=f"servient{servient_id.replace('-', '')[:14]}",
                    access=self._entrance.broker_access(self._embedded),
                )


def _prepare_folder(instance_path: Path) -> Path:
    """The folder for modules, empty: they are made anew of what is in the store."""
    modules_path = instance_path / "modules"
    if modules_path.is_dir():
        remove_tree(modules_path)
    modules_path.mkdir(mode=0o700)
    return modules_path


def _reach(config: Config) -> Reach:
    """Without a list, only who is on this machine can have modules fetched, and from everywhere."""
    try:
        origins, networks = parse_reach(config.module_origins)
    except ValueError as error:
        raise ConfigError(f"module_origins: {error}") from error
    is_open = not config.module_origins and is_loopback(config.host)
    return Reach(is_open, origins, networks)


def _trust(config: Config) -> Trust:
    try:
        return to_trust(config.module_digests, config.module_public_keys)
    except ValueError as error:
        raise ConfigError(f"module_public_keys: {error}") from error


def _describe_api(name: str, things: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return to_openapi(things, title=name, version=VERSION, paths=fixed_paths())


def _import_settings(config: Config) -> ImportSettings:
    """What modules may reach by what they import besides WASI."""
    return ImportSettings(
        config.camera_source, config.sensor_source, config.rpc_targets, config.ping_networks
    )


def _servient_id(instance_path: Path) -> str:
    """A random id that stays the same for as long as the instance folder is kept."""
    file = instance_path / "servient-id"
    if not file.is_file():
        file.write_text(str(uuid.uuid4()))
    return file.read_text().strip()
