"""Single files over HTTP."""

import httpx

from converters.shown_url import shown_url
from servient.deployment.fetch_limits import Budget, FetchLimits
from servient.deployment.pinned import PinnedTransport
from servient.deployment.reach import Reach
from servient.errors import FetchFailed
from servient.version import VERSION


class Downloads:
    """An HTTP client that connects to where `reach` allows it; to be closed when it was used.

    Redirects are not followed: what is fetched is what the manifest names. Proxies and netrc files of
    the environment are not used.
    """

    def __init__(self, reach: Reach, limits: FetchLimits) -> None:
        self._limits = limits
        # No connection is kept: to one address it would be one for all names that lead there.
        pool = httpx.Limits(max_connections=limits.connections, max_keepalive_connections=0)
        self._client = httpx.AsyncClient(
            transport=PinnedTransport(reach, pool),
            follow_redirects=False,
            trust_env=False,
            timeout=limits.deadline_seconds,
            headers={"User-Agent": f"wasm-servient/{VERSION}", "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, url: str, budget: Budget) -> bytes:
        """Raises FetchFailed, naming the URL."""
        shown = shown_url(url)
        try:
            async with self._client.stream("GET", url) as response:
                if response.status_code != httpx.codes.OK:
                    raise FetchFailed(f"{shown} answered {response.status_code}")
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    # What unpacks to more than its limit would do so in one step.
                    raise FetchFailed(f"{shown} came compressed, which was not asked for")
                return await self._read(shown, response, budget)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise FetchFailed(f"{shown} cannot be fetched: {reason}") from error

    async def _read(self, shown: str, response: httpx.Response, budget: Budget) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            budget.spend(len(chunk), shown)
            if len(body) > self._limits.file_bytes:
                raise FetchFailed(f"{shown} is larger than {self._limits.file_bytes} bytes")
        return bytes(body)
