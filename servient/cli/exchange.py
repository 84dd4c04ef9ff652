"""Requests over HTTP: bounded in size and time, with credentials for those whom they are for."""

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeAlias
from urllib.parse import urljoin, urlsplit

import httpx

from servient.cli.access import Access
from servient.cli.output import CommandFailed, ExitCode
from servient.cli.refusals import unreachable
from servient.version import VERSION

DOCUMENT_LIMIT_BYTES = 64 * 2**20
CONNECT_SECONDS = 5.0

Body: TypeAlias = bytes | AsyncIterator[bytes] | None

_ADVICE = ": start a servient with `wasm-servient run`, or name another as --url"
# Of an answer that is unpacked already.
_LEFT_OUT = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class Exchange:
    """Raises CommandFailed for what goes wrong below HTTP; redirects are not followed."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._is_basic: bool | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def send(
        self, method: str, path: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """`path` may be a URL; only those of the servient itself are shown the token."""
        url = urljoin(f"{self._access.url}/", path.lstrip("/"))
        own = await self._credentials() if self._access.includes(url) else {}
        return await self._send(method, url, body, {**own, **(headers or {})})

    async def _send(
        self, method: str, url: str, body: Body, headers: Mapping[str, str]
    ) -> httpx.Response:
        seconds = self._access.seconds
        try:
            client = self._client(urlsplit(url).scheme)
            async with asyncio.timeout(seconds):
                request = client.build_request(method, url, content=body, headers=headers)
                return await self._read(client, request)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise unreachable(url, f"{seconds:g} s are over", error, _ADVICE) from error
        except httpx.HTTPError as error:
            raise unreachable(url, str(error), error, _ADVICE) from error
        except (httpx.InvalidURL, ValueError) as error:
            raise CommandFailed(f"{url[:200]} is no URL: {error}", ExitCode.USAGE) from error

    def _client(self, scheme: str) -> httpx.AsyncClient:
        if scheme not in self._clients:
            # To load whom to trust takes as long as all the rest: where there is no TLS, nobody.
            is_secure = scheme == "https"
            tls = self._access.tls() if is_secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._clients[scheme] = httpx.AsyncClient(
                verify=tls,
                trust_env=False,  # servients are on the local network: no proxy is asked
                timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
                headers={"User-Agent": f"wasm-servient/{VERSION}"},
            )
        return self._clients[scheme]

    async def _read(self, client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        response = await client.send(request, stream=True)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > DOCUMENT_LIMIT_BYTES:
                    limit = f"more than {DOCUMENT_LIMIT_BYTES} bytes"
                    raise CommandFailed(f"{request.url} answers with {limit}")
        finally:
            await response.aclose()
        headers = [each for each in response.headers.multi_items() if each[0] not in _LEFT_OUT]
        return httpx.Response(response.status_code, headers=headers, content=bytes(body))

    async def _credentials(self) -> dict[str, str]:
        token, user = self._access.token, self._access.user
        if token is None:
            return {}
        if user is not None and self._is_basic is None:
            # The servient's own description says it, which everybody may read.
            url = f"{self._access.url}/.well-known/wot"
            self._is_basic = wants_password(parsed(await self._send("GET", url, None, {})))
        if self._is_basic:
            pair = b64encode(f"{user}:{token}".encode()).decode("ascii")
            return {"Authorization": f"Basic {pair}"}
        return {"Authorization": f"Bearer {token}"}


def parsed(response: httpx.Response) -> Any:
    """The JSON in a response; None where there is none."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def wants_password(td: Any) -> bool:
    """Whether a name and password are what a Thing takes, by its description, and not a token."""
    defined = td.get("securityDefinitions") if isinstance(td, dict) else None
    found = defined.values() if isinstance(defined, dict) else ()
    named = {each.get("scheme") for each in found if isinstance(each, dict)}
    return "basic" in named and "bearer" not in named
