"""What is counted, of which parts of the servient: each metric is one entry of a table."""

from collections import Counter as Counts
from collections.abc import Callable
from contextlib import AsyncExitStack

from servient.composition.reporting import Reporting
from servient.deployment.deployer import Deployer
from servient.telemetry.metrics.exposition import Exposition
from servient.telemetry.metrics.family import Counter, Durations, Gauge, Values, one
from servient.telemetry.metrics.histogram import Histogram
from servient.telemetry.metrics.invocation_tally import InvocationTally
from servient.telemetry.metrics.loop_lag import LoopLag
from servient.version import VERSION
from servient.wasm.engine import Engine
from servient.wot.changes import Change
from servient.wot.content import Content
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing

_SUBSCRIBED_OVER = ("http", "websocket", "coap")


class Metrics:
    """Counts from the beginning; the parts that it reads are made known to it when they exist."""

    def __init__(self, servient: Servient, name: str) -> None:
        self._servient = servient
        self._exposition = Exposition()
        self.tally = InvocationTally(servient.serves)
        self._lag = LoopLag()
        labels: Values[float] = {(name, VERSION): 1.0}
        self._exposition.add(
            Gauge("build_info", "The servient.", ("name", "version"), lambda: labels)
        )
        self._add_invocations()
        self._add_things()

    async def start(self, stack: AsyncExitStack) -> None:
        stack.callback(self._servient.changes.watch(self._changed))
        await stack.enter_async_context(self._lag)

    def watch(self, deployer: Deployer, engine: Engine, reporting: Reporting) -> None:
        """Tell also of what is deployed, and of logs."""
        self._add_modules(deployer, engine)
        self._add_logs(reporting)

    async def write(self, accept: str, sees: Callable[[str], bool]) -> Content:
        return await self._exposition.write(accept, sees)

    def _changed(self, change: Change, thing: ExposedThing) -> None:
        if change is Change.DELETED:
            self.tally.forget(thing.name)

    # The tables

    def _add_invocations(self) -> None:
        self._exposition.add(
            Counter(
                "invocations",
                "Invocations that are over or were refused, by wire and by how they ended.",
                ("thing", "action", "protocol", "outcome"),
                self._outcomes,
            ),
            Durations(
                "invocation_duration_seconds",
                "From when an invocation came in until its record was kept.",
                ("thing", "action"),
                self._durations,
            ),
            Gauge(
                "invocations_under_way",
                "Invocations that are pending or run.",
                ("thing",),
                lambda: _by_one(self._servient.invocations.under_way()),
            ),
            Gauge(
                "invocations_remembered",
                "Invocations in the history, and under way.",
                (),
                lambda: one(len(self._servient.invocations)),
            ),
        )

    def _add_things(self) -> None:
        self._exposition.add(
            Gauge("things", "Things that are served.", (), self._things),
            Gauge(
                "subscribers",
                "Subscriptions that are open here; those over MQTT are the broker's.",
                ("protocol",),
                self._subscribers,
            ),
            Durations(
                "event_loop_lag_seconds",
                "How late a timer of one second was.",
                (),
                lambda: {(): self._lag.durations},
            ),
        )

    def _add_modules(self, deployer: Deployer, engine: Engine) -> None:
        modules = [
            Gauge("deployments", "Deployments.", (), lambda: one(len(tuple(deployer)))),
            Gauge(
                "deployments_lost",
                "Deployments that could not be brought back.",
                (),
                lambda: one(len(deployer.lost)),
            ),
            Gauge(
                "instances",
                "Modules that run, by how: ordered, stateless, isolated, component.",
                ("kind",),
                lambda: _by_one(Counts(m.kind for d in deployer for m in d.modules)),
            ),
            Gauge(
                "calls_pending",
                "Calls of a module that run or wait for its instance.",
                ("thing",),
                lambda: {
                    (m.thing.name,): m.pending_calls
                    for d in deployer
                    for m in d.modules
                    if m.thing is not None
                },
            ),
        ]
        compilations = Counter(
            "compilations",
            "Modules that were wanted compiled, and were cached, compiled or rejected.",
            ("result",),
            lambda: _by_one(engine.compilations),
        )
        self._exposition.add(*modules, compilations)

    def _add_logs(self, reporting: Reporting) -> None:
        def read(*names: str) -> Values[float]:
            counts = reporting.shipper.counts()
            return {(name,): counts[name] for name in names}

        self._exposition.add(
            Counter(
                "logs",
                "Logs for the orchestrator: sent to it, or dropped.",
                ("result",),
                lambda: read("sent", "dropped"),
            ),
            Gauge("logs_waiting", "Logs to be sent.", (), lambda: one(*read("waiting").values())),
        )

    # Where values come from

    def _outcomes(self) -> Values[float]:
        return {
            (thing, action, *key): count
            for thing, action, tally in self.tally
            for key, count in tally.counts.items()
        }

    def _durations(self) -> Values[Histogram]:
        return {(thing, action): tally.durations for thing, action, tally in self.tally}

    def _things(self) -> Values[float]:
        return one(sum(1 for _ in self._servient.enabled_exposed_things))

    def _subscribers(self) -> Values[float]:
        counts = Counts(
            subscription.protocol
            for thing in self._servient.enabled_exposed_things
            for subscription in thing.publisher.subscriptions
        )
        return {(protocol,): counts[protocol] for protocol in _SUBSCRIBED_OVER}


def _by_one(counts: Counts[str]) -> Values[float]:
    return {(label,): count for label, count in counts.items()}
