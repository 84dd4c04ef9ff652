"""Files from where a manifest says they are: in itself or over HTTP, bounded in size and time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType, TracebackType
from typing import Self

import httpx

from converters.file_urls import is_name
from servient.deployment.pinned import PinnedTransport
from servient.deployment.reach import Reach
from servient.errors import FetchFailed
from servient.version import VERSION


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """`deadline_seconds` bounds all files of one deployment together, however slowly they drip."""

    file_bytes: int = 64 * 2**20
    deployment_bytes: int = 256 * 2**20
    deadline_seconds: float = 15.0
    connections: int = 8


class Fetcher:
    """An HTTP client for the files of deployments; to be used as an async context manager.

    Redirects are not followed: what is fetched is what the manifest names, where `reach` allows it.
    Proxies and netrc files of the environment are not used.
    """

    def __init__(self, reach: Reach, limits: FetchLimits | None = None) -> None:
        self._reach = reach
        self._limits = limits or FetchLimits()

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        """When it is first needed: to read the certificates of authorities takes a while."""
        # No connection is kept: to one address it would be one for all names that lead there.
        pool = httpx.Limits(max_connections=self._limits.connections, max_keepalive_connections=0)
        return httpx.AsyncClient(
            transport=PinnedTransport(self._reach, pool),
            follow_redirects=False,
            trust_env=False,
            timeout=self._limits.deadline_seconds,
            headers={"User-Agent": f"wasm-servient/{VERSION}", "Accept-Encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if "_client" in self.__dict__:
            await self._client.aclose()

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
        budget = _Budget(self._limits.deployment_bytes)
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
        self, brought: Mapping[str, bytes], wanted: frozenset[str], budget: "_Budget"
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
        budget: "_Budget",
        required: frozenset[str],
        optional: frozenset[str],
    ) -> None:
        async def fetch(url: str) -> None:
            try:
                arrived[url] = await self._fetch(url, budget)
            except FetchFailed:
                if url in required:
                    raise

        try:
            async with asyncio.TaskGroup() as group:
                for url in required | optional:
                    group.create_task(fetch(url), name=f"fetch {url}")
        except* FetchFailed as errors:
            raise _first(errors) from None

    async def _fetch(self, url: str, budget: "_Budget") -> bytes:
        try:
            async with self._client.stream("GET", url) as response:
                if response.status_code != httpx.codes.OK:
                    raise FetchFailed(f"{url} answered {response.status_code}")
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    # What unpacks to more than its limit would do so in one step.
                    raise FetchFailed(f"{url} came compressed, which was not asked for")
                return await self._read(url, response, budget)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise FetchFailed(f"{url} cannot be fetched: {reason}") from error

    async def _read(self, url: str, response: httpx.Response, budget: "_Budget") -> bytes:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            budget.spend(len(chunk), url)
            if len(body) > self._limits.file_bytes:
                raise FetchFailed(f"{url} is larger than {self._limits.file_bytes} bytes")
        return bytes(body)


class _Budget:
    """The bytes that one deployment may still fetch."""

    def __init__(self, limit_bytes: int) -> None:
        self._left = self._limit = limit_bytes

    def spend(self, count: int, url: str) -> None:
        self._left -= count
        if self._left < 0:
            raise FetchFailed(f"{url} brings the deployment over its {self._limit} bytes")


def _first(group: BaseExceptionGroup[FetchFailed]) -> FetchFailed:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, FetchFailed)  # noqa: S101 - the except* clause lets nothing else in
    return error
