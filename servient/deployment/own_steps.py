"""Steps of chains that are on this very servient: called through its door, without the network."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlsplit

from converters.deployment import Endpoint
from servient.deployment.handover import Handover
from servient.deployment.origins import Origins
from servient.deployment.step_answer import step_failed
from servient.errors import DeadlineExceeded, NotFound, ServientError
from servient.wot.door import Door, Interaction
from servient.wot.invocation import Invocation
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.servient import Servient


@dataclass(frozen=True, slots=True)
class OwnStep:
    """An action that is served here. It takes what is named in `inputs`."""

    url: str
    thing: str
    action: str
    inputs: frozenset[str]

    def narrowed(self, endpoint: Endpoint) -> Endpoint:
        """Its endpoint without the files that came with the deployment, which manifests list too."""
        files = tuple(mount for mount in endpoint.files if mount.path in self.inputs)
        return replace(endpoint, files=files)


class OwnSteps:
    """Finds and takes them. `deadline_seconds` is as for other steps."""

    def __init__(self, servient: Servient, origins: Origins, deadline_seconds: float) -> None:
        self._servient = servient
        self._door = Door(servient, "chain")
        self._origins = origins
        self._deadline_seconds = deadline_seconds

    def find(self, url: str, own_url: str) -> OwnStep | None:
        """The step at a URL, None when it is elsewhere. `own_url` is as in `Origins.include`."""
        if not self._origins.include(url, own_url):
            return None
        match [unquote(part) for part in urlsplit(url).path.strip("/").split("/")]:
            case [deployment, "modules", module, function]:
                return self._find_action(url, f"{deployment}:{module}", function)
        return None

    def _find_action(self, url: str, thing: str, function: str) -> OwnStep | None:
        try:
            description = self._servient.exposed(thing).description
        except NotFound:
            return None  # whoever answers at that URL has the words for it
        for each in description:
            if each.kind is AffordanceKind.ACTION and each.function == function:
                inputs = each.definition.get("input", {}).get("properties", ())
                return OwnStep(url, thing, each.name, frozenset(inputs))
        return None

    def is_entry(self, url: str, invocation: Invocation, own_url: str) -> bool:
        """Whether a URL is that of an invocation's own record here."""
        is_here = self._origins.include(url, own_url)
        return is_here and urlsplit(url).path == _history_path(invocation)

    async def call(
        self, step: OwnStep, endpoint: Endpoint, handover: Handover, context: Mapping[str, str]
    ) -> str:
        """Take a step, and return where its result is.

        Raises NextStepFailed, and DeadlineExceeded when it did not end in time.
        """
        try:
            async with asyncio.timeout(self._deadline_seconds):
                invocation = self._invoke(step, endpoint, handover, context)
                await invocation.result()
        except TimeoutError as error:
            limit = f"{self._deadline_seconds:g} s"
            raise DeadlineExceeded(f"the step {step.url} did not end within {limit}") from error
        except ServientError as error:
            raise step_failed(step.url, error.detail) from error
        return _history_url(step.url, invocation)

    def _invoke(
        self, step: OwnStep, endpoint: Endpoint, handover: Handover, context: Mapping[str, str]
    ) -> Invocation:
        # Names that it does not know mean nothing to a step that is called over HTTP either.
        handed = {**handover.parameters, **handover.files}
        members = {name: member for name, member in handed.items() if name in step.inputs}
        request = {**context, "method": endpoint.method.upper()}
        wanted = Interaction(
            Operation.INVOKE_ACTION, step.thing, step.action, members or None, request
        )
        return self._door.invoke(wanted)


def _history_url(url: str, invocation: Invocation) -> str:
    """What whoever calls the step at its URL is told."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{_history_path(invocation)}"


def _history_path(invocation: Invocation) -> str:
    return f"/request-history/{quote(invocation.id, safe=':')}"
