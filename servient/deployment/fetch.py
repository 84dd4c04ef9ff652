"""Files from where a manifest says they are: in itself or over HTTP, bounded in size and time."""

import asyncio
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

from converters.file_urls import is_name
from servient.deployment.fetch_limits import Budget, FetchLimits
from servient.deployment.reach import Reach
from servient.errors import FetchFailed

if TYPE_CHECKING:
    from servient.deployment.download import Downloads


class Fetcher:
    """Gets the files of deployments, where `reach` allows it; to be used as an async context manager."""

    def __init__(self, reach: Reach, limits: FetchLimits | None = None) -> None:
        self._reach = reach
        self._limits = limits or FetchLimits()

    @cached_property
    def _downloads(self) -> "Downloads":
        """When it is first needed: to read the certificates of authorities takes a while."""
        # As does the import, and many servients only bring back what they have.
        from servient.deployment.download import Downloads  # noqa: PLC0415

        return Downloads(self._reach, self._limits)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if "_downloads" in self.__dict__:
            await self._downloads.close()

    async def fetch_all(
        self,
        required: frozenset[str],
        optional: frozenset[str],
        brought: Mapping[str, bytes] = MappingProxyType({}),
    ) -> Mapping[str, bytes]:
        """The contents by URL; optional ones that cannot be had are left out.

        `brought` is what came in the manifest, by its names: whoever may deploy may bring anything.
        Raises FetchFailed, naming the URL, when a required one cannot be had.
        """
        budget = Budget(self._limits.deployment_bytes)
        arrived = self._take(brought, required | optional, budget)
        required, optional = required - arrived.keys(), optional - arrived.keys()
        try:
            async with asyncio.timeout(self._limits.deadline_seconds):
                await self._fetch_into(arrived, budget, required, optional - required)
        except TimeoutError as error:
            if late := sorted(required - arrived.keys()):
                seconds = self._limits.deadline_seconds
                raise FetchFailed(f"{late[0]} did not arrive within {seconds:g} s") from error
        return arrived

    def _take(
        self, brought: Mapping[str, bytes], wanted: frozenset[str], budget: Budget
    ) -> dict[str, bytes]:
        """Raises FetchFailed, also for a file that is named and did not come along."""
        taken = {}
        for name in sorted(filter(is_name, wanted)):
            if name not in brought:
                raise FetchFailed(f"{name} names a file that is not in the manifest")
            taken[name] = brought[name]
            budget.spend(len(taken[name]), name)
            if len(taken[name]) > self._limits.file_bytes:
                raise FetchFailed(f"{name} is larger than {self._limits.file_bytes} bytes")
        return taken

    async def _fetch_into(
        self,
        arrived: dict[str, bytes],
        budget: Budget,
        required: frozenset[str],
        optional: frozenset[str],
    ) -> None:
        async def fetch(url: str) -> None:
            try:
                arrived[url] = await self._downloads.get(url, budget)
            except FetchFailed:
                if url in required:
                    raise

        try:
            async with asyncio.TaskGroup() as group:
                for url in required | optional:
                    group.create_task(fetch(url), name=f"fetch {url}")
        except* FetchFailed as errors:
            raise _first(errors) from None


def _first(group: BaseExceptionGroup[FetchFailed]) -> FetchFailed:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, FetchFailed)  # noqa: S101 - the except* clause lets nothing else in
    return error
