"""The composition root: builds everything from settings, starts it and stops it."""

import contextlib
import logging
from types import TracebackType
from typing import Any, Self

from servient.bindings.device import Machine
from servient.composition.broker import Broker, find_broker
from servient.composition.kept import Kept, open_kept
from servient.composition.metrics import Metrics
from servient.composition.presence import Presence
from servient.composition.reporting import Reporting, start_reporting
from servient.composition.routes import build_routes
from servient.composition.tracing import start_tracing
from servient.composition.wires import Wires
from servient.composition.workshop import Workshop
from servient.config import BindingName, Config
from servient.deployment.deployer import Deployer
from servient.deployment.servient_thing import ServientThing
from servient.entrance import Entrance
from servient.security.orchestrator_address import OrchestratorAddress
from servient.telemetry.machine import Health, describe_platform
from servient.wot.binding import Binding
from servient.wot.entry import WoT
from servient.wot.servient import INVOCATION_DEADLINE_SECONDS, Servient

logger = logging.getLogger(__name__)

SERVIENT_THING = "servient"
# What is bounded more closely elsewhere ends there, and is told of in the words of that place.
DEADLINE_MARGIN_SECONDS = 10.0
SCHEMES: dict[str, str] = {"http": "http", "websocket": "ws", "coap": "coap"}


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
        self._servient = Servient(
            hostname=config.reachable_host,
            invocation_deadline_seconds=max(
                INVOCATION_DEADLINE_SECONDS,
                config.module_timeout_seconds + DEADLINE_MARGIN_SECONDS,
                config.chain_timeout_seconds + DEADLINE_MARGIN_SECONDS,
            ),
            policy=self._entrance.policy,
        )
        self._stack = contextlib.AsyncExitStack()
        self._metrics = Metrics(self._servient, config.name)
        self._workshop = Workshop(config, self._servient, self._stack)
        self._presence = Presence(config, self._stack)

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

    # The stages of starting. Each puts what ends it on the stack; they end in the opposite order.

    async def _start(self) -> None:
        await self._metrics.start(self._stack)
        kept = await open_kept(self.config, self._metrics.tally, self._stack)
        self._servient.invocations = kept.invocations
        await start_tracing(self.config, self._servient, kept.servient_id, self._stack)
        engine = await self._workshop.start_engine()
        if "mqtt" in self.config.bindings:
            doorkeeper = self._entrance.doorkeeper
            self.broker = await find_broker(self.config, doorkeeper, self._stack)
        reporting = await start_reporting(self.config, self._stack)
        health = Health()
        machine = Machine(health, describe_platform, engine.offered_imports())
        await self._build_bindings(kept, reporting, machine)
        self.deployer = await self._workshop.start_deployer(
            engine, kept, reporting, self.bindings.get("http")
        )
        self._metrics.watch(self.deployer, engine, reporting)
        self._expose_own_thing(health, reporting, kept.servient_id)
        await self._serve()
        await self._presence.tell(reporting, self.bindings, kept.servient_id)
        await self._presence.enter_directory(self._servient)

    async def _build_bindings(self, kept: Kept, reporting: Reporting, machine: Machine) -> None:
        """They listen when the servient starts: only then is there what they serve."""
        if self._entrance.certificate is not None:
            await self._stack.enter_async_context(self._entrance.certificate)
        wires = Wires(
            self.config,
            self._entrance,
            self._entrance.authenticator(OrchestratorAddress(reporting.orchestrator_url)),
            self.broker,
            build_routes(
                self._servient, self.config.name, SERVIENT_THING, machine, reporting, self._metrics
            ),
            kept.servient_id,
            SERVIENT_THING,
        )
        for name in self.config.bindings:
            self.bindings[name] = wires.build(name)
            self._servient.add_server(self.bindings[name])

    def _expose_own_thing(self, figures: Health, reporting: Reporting, servient_id: str) -> None:
        def health() -> dict[str, Any]:
            return {**figures(), "logs": reporting.shipper.counts()}

        own = ServientThing(self._servient, self.deployer, health, describe_platform)
        own.expose(WoT(self._servient), SERVIENT_THING, self.config.name, servient_id)

    async def _serve(self) -> None:
        self._stack.push_async_callback(self._servient.shutdown)
        self.wot = await self._servient.start()
