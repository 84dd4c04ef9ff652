"""The next steps of chains on other machines: where they are, and who takes them there."""

from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit

from converters.deployment import Endpoint
from servient.deployment.handover import Handover
from servient.deployment.step_limits import StepLimits

if TYPE_CHECKING:
    from servient.deployment.step_client import StepClient

_PATH_SAFE = "/%:@!$&'()*+,;=~"


class Steps:
    """Takes the next steps; to be used as an async context manager.

    `tokens` are shown at the origins that are their keys.
    """

    def __init__(
        self, limits: StepLimits | None = None, tokens: Mapping[str, str] | None = None
    ) -> None:
        self._limits = limits or StepLimits()
        self._tokens = tokens or {}

    @cached_property
    def _client(self) -> "StepClient":
        """When it is first needed: to read the certificates of authorities takes a while."""
        # As does the import, and few servients have chains that leave them.
        from servient.deployment.step_client import StepClient  # noqa: PLC0415

        return StepClient(self._limits, self._tokens)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if "_client" in self.__dict__:
            await self._client.close()

    async def call(
        self, url: str, endpoint: Endpoint, handover: Handover, headers: Mapping[str, str]
    ) -> str:
        """Take the step at `url`, and return where its result is.

        Raises NextStepFailed, and DeadlineExceeded when the answer did not come in time.
        """
        return await self._client.call(url, endpoint, handover, headers)


def step_url(endpoint: Endpoint) -> str:
    """The whole URL of an endpoint; what its origin has behind a path is left out."""
    parts = urlsplit(endpoint.url)
    path = quote(parts.path.rstrip("/") + endpoint.path, safe=_PATH_SAFE)
    return f"{parts.scheme}://{parts.netloc}{path}"
