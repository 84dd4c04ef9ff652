"""An HTTP transport that connects to an address that was checked, and to no other one."""

import httpx

from servient.deployment.reach import Reach


class PinnedTransport(httpx.AsyncBaseTransport):
    """Looks each name up once, has the addresses judged, and connects to these addresses.

    What the name leads to a moment later does not matter. Host and certificate are those of the name.
    """

    def __init__(self, reach: Reach, limits: httpx.Limits) -> None:
        self._reach = reach
        self._transport = httpx.AsyncHTTPTransport(trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises FetchFailed when the URL must not be fetched, and what httpx raises."""
        url, host = request.url, request.url.host
        addresses = await self._reach.resolve(url)
        if url.scheme == "https":
            request.extensions = {**request.extensions, "sni_hostname": host}
        for address in addresses[:-1]:
            request.url = url.copy_with(host=address)
            try:
                return await self._transport.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # a machine of several addresses need not listen on all of them
        request.url = url.copy_with(host=addresses[-1])
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self._transport.aclose()
