"""The servient's own Thing: deploying and looking around, over every protocol."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from servient.deployment.deployed import Deployed
from servient.deployment.deployer import Deployer
from servient.deployment.manifests import unpack
from servient.errors import InvalidInput, ServientError, problem
from servient.wot.access import Scope
from servient.wot.audit import audit
from servient.wot.changes import Change
from servient.wot.content import Value, to_plain
from servient.wot.entry import WoT
from servient.wot.invocation import INVOCATION_ID, Invocation
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing, Outcome
from thing_descriptions.servient_thing import servient_td

Figures = Callable[[], dict[str, Any]]


class ServientThing:
    """Properties `deployments`, `health`, `platform`, `things`, `invocations`; actions `deploy`, `undeploy`.

    Events say what is deployed, and which Things come, change and go.
    `health` and `platform` say how the machine is and what it is.
    """

    def __init__(
        self, servient: Servient, deployer: Deployer, health: Figures, platform: Figures
    ) -> None:
        self._servient = servient
        self._deployer = deployer
        self._readers: dict[str, Callable[[], Value]] = {
            "deployments": self._deployments,
            "health": health,
            "platform": platform,
            "things": self._things,
            "invocations": self._invocations,
        }

    def expose(self, wot: WoT, name: str, title: str, servient_id: str) -> ExposedThing:
        """Make the Thing, of that name in paths, and serve it."""
        # Ours, and the same everywhere but for its names: tests have checked it.
        thing = wot.produce(servient_td(title, servient_id), name, is_checked=True)
        for property_name, reader in self._readers.items():
            thing.set_property_read_handler(property_name, reader)
        thing.set_action_handler("deploy", self._deploy)
        thing.set_action_handler("undeploy", self._undeploy)
        thing.expose()

        def tell(change: Change, other: ExposedThing) -> None:
            if other is not thing:
                thing.emit_event(change.value, {"id": other.description.id or other.name})

        self._servient.changes.watch(tell)
        return thing

    def _deploy(self, manifest: Value) -> Awaitable[Outcome]:
        """The files in a manifest are kept with its deployment: no record of the invocation has them."""
        invocation = self._servient.invocations.find(INVOCATION_ID.get())
        invocation.input = None  # before it is recorded, as it is at once for who does not wait
        return self._carry_out(invocation, manifest)

    async def _carry_out(self, invocation: Invocation, manifest: Value) -> Outcome:
        with _audited("deploy", _wanted_id(manifest)):
            package = await asyncio.to_thread(unpack, manifest)
            invocation.input = package.manifest
            deployed = await self._deployer.deploy(package)
        summary = {"deploymentId": deployed.id, "things": deployed.names()}
        return Outcome(
            summary, properties={"deployments": self._deployments()}, events={"deployed": summary}
        )

    async def _undeploy(self, value: Value) -> Outcome:
        deployment_id = value.get("deploymentId") if isinstance(value, dict) else None
        if not isinstance(deployment_id, str):
            raise InvalidInput("/deploymentId: the id of a deployment is wanted")
        with _audited("undeploy", deployment_id):
            await self._deployer.undeploy(deployment_id)
        return Outcome(
            properties={"deployments": self._deployments()},
            events={"undeployed": {"deploymentId": deployment_id}},
        )

    def _deployments(self) -> Value:
        lost = [
            {"deploymentId": name, "modules": [], "things": [], "error": reason}
            for name, reason in self._deployer.lost.items()
        ]
        return [*(_summary(deployed) for deployed in self._deployer), *lost]

    def _things(self) -> Value:
        """Those that may be read."""
        servient, may = self._servient, self._servient.policy.allows
        things = servient.enabled_exposed_things
        return [servient.td(thing) for thing in things if may(Scope.READ, thing.name)]

    def _invocations(self) -> Value:
        may = self._servient.policy.allows
        found = self._servient.invocations
        return [to_status(each) for each in found if may(Scope.READ, each.thing)]


def _wanted_id(manifest: Value) -> str:
    match manifest:
        case {"deploymentId": str(wanted)} | {"modules": [{"name": str(wanted)}]}:
            return wanted
    return ""


@contextlib.contextmanager
def _audited(event: str, deployment_id: str) -> Iterator[None]:
    try:
        yield
    except ServientError as error:
        audit(event, deployment_id, f"refused, {error.title}")
        raise
    audit(event, deployment_id)


def _summary(deployed: Deployed) -> Value:
    return {
        "deploymentId": deployed.id,
        "modules": [module.name for module in deployed.modules],
        "things": deployed.names(),
    }


def to_status(invocation: Invocation) -> dict[str, Value]:
    """An invocation as an ActionStatus object (WoT Profile, section 5.2.2), with what it is of."""
    status: dict[str, Value] = {
        "id": invocation.id,
        "thing": invocation.thing,
        "action": invocation.action,
        "status": invocation.status,
        "timeRequested": invocation.requested_at.isoformat(),
    }
    if invocation.ended_at is not None:
        status["timeEnded"] = invocation.ended_at.isoformat()
    if invocation.output is not None:
        status["output"] = to_plain(invocation.output)
    status |= invocation.notes
    if invocation.error is not None:
        status["error"] = problem(invocation.error)
    return status
