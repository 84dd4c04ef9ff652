"""A servient as commands ask it over HTTP: descriptions, records, and its own actions."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urljoin

import httpx

from servient.cli.access import Access
from servient.cli.output import CommandFailed, ExitCode
from servient.cli.refusals import refusal, unreachable
from servient.version import VERSION

DOCUMENT_LIMIT_BYTES = 64 * 2**20
CONNECT_SECONDS = 5.0
PAGE_THINGS = 200
PAGES_LIMIT = 1000

_ADVICE = ": start a servient with `wasm-servient run`, or name another as --url"

Td = dict[str, Any]
T = TypeVar("T")


class Remote:
    """Raises CommandFailed for everything that goes wrong, in words that say what to do."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._http = httpx.AsyncClient(
            base_url=access.url,
            verify=access.tls() if access.url.startswith("https:") or access.ca else True,
            trust_env=False,  # servients are on the local network: no proxy is asked
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            headers={"User-Agent": f"wasm-servient/{VERSION}"},
        )
        self._is_basic: bool | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    # Requests

    async def get(self, path: str) -> Any:
        return (await self.ask("GET", path))[1]

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[httpx.Response, Any]:
        """The response to a request, and the JSON in it."""
        response = await self.send(method, path, body, headers)
        if response.is_error:
            raise refusal(response.status_code, _problem(response))
        if not response.content:
            return response, None
        try:
            return response, json.loads(response.content)
        except (ValueError, RecursionError) as error:
            raise self._no_servient() from error

    async def send(
        self,
        method: str,
        path: str,
        body: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """`path` may be a URL; only this servient's own are shown the token."""
        url = urljoin(f"{self._access.url}/", path.lstrip("/"))
        own = await self._credentials() if self._access.includes(url) else {}
        return await self._send(method, url, body, {**own, **(headers or {})})

    async def _send(
        self,
        method: str,
        url: str,
        body: bytes | AsyncIterator[bytes] | None,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        try:
            async with asyncio.timeout(self._access.seconds):
                request = self._http.build_request(method, url, content=body, headers=headers)
                return await self._read(request)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise unreachable(
                url, f"{self._access.seconds:g} s are over", error, _ADVICE
            ) from error
        except httpx.HTTPError as error:
            raise unreachable(url, str(error), error, _ADVICE) from error
        except (httpx.InvalidURL, ValueError) as error:
            raise CommandFailed(f"{url[:200]} is no URL: {error}", ExitCode.USAGE) from error

    async def _read(self, request: httpx.Request) -> httpx.Response:
        response = await self._http.send(request, stream=True)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > DOCUMENT_LIMIT_BYTES:
                    raise CommandFailed(
                        f"{request.url} answers with more than {DOCUMENT_LIMIT_BYTES} bytes"
                    )
        finally:
            await response.aclose()
        return httpx.Response(
            response.status_code, headers=_plain(response.headers), content=bytes(body)
        )

    async def _credentials(self) -> dict[str, str]:
        token, user = self._access.token, self._access.user
        if token is None:
            return {}
        if user is not None and self._is_basic is None:
            self._is_basic = await self._wants_password()
        if self._is_basic:
            pair = b64encode(f"{user}:{token}".encode()).decode("ascii")
            return {"Authorization": f"Basic {pair}"}
        return {"Authorization": f"Bearer {token}"}

    async def _wants_password(self) -> bool:
        """The servient's own description says it, which everybody may read."""
        response = await self._send("GET", f"{self._access.url}/.well-known/wot", None, {})
        return "basic" in (found := schemes(_json(response))) and "bearer" not in found

    def _no_servient(self) -> CommandFailed:
        return CommandFailed(f"{self._access.url} answers, and is no servient: see --url")

    # Things

    async def td(self, name: str) -> Td | None:
        """The description of a Thing by its name in paths."""
        response = await self.send("GET", f"/things/{quote(name, safe=':')}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        if response.is_error:
            raise refusal(response.status_code, _problem(response))
        return self._checked(_json(response))

    async def own_td(self) -> Td:
        """The description of the servient itself."""
        return self._checked(await self.get("/.well-known/wot"))

    async def own(self, name: str, kind: type[T]) -> T:
        """A property of the servient itself."""
        value = await self.get(f"/things/servient/properties/{name}")
        if not isinstance(value, kind):
            raise self._no_servient()
        return value

    async def things(self) -> list[Td]:
        """All descriptions, in pages."""
        found: list[Td] = []
        path: str | None = f"/things?limit={PAGE_THINGS}"
        for _ in range(PAGES_LIMIT):
            if path is None:
                break
            response, page = await self.ask("GET", path)
            if not isinstance(page, list):
                raise self._no_servient()
            found += map(self._checked, page)
            following = response.links.get("next", {}).get("url")
            path = following if following and self._is_own(following) else None
        return found

    def _is_own(self, link: str) -> bool:
        return self._access.includes(urljoin(f"{self._access.url}/", link))

    def _checked(self, document: Any) -> Td:
        if not isinstance(document, dict) or "title" not in document:
            raise self._no_servient()
        return document


def schemes(td: Any) -> set[str]:
    """The security schemes that a description names."""
    defined = td.get("securityDefinitions") if isinstance(td, dict) else None
    found = defined.values() if isinstance(defined, dict) else ()
    return {str(each.get("scheme")) for each in found if isinstance(each, dict)}


def _plain(headers: httpx.Headers) -> list[tuple[str, str]]:
    """The body is unpacked already."""
    left_out = ("content-encoding", "content-length", "transfer-encoding")
    return [(name, value) for name, value in headers.multi_items() if name not in left_out]


def _problem(response: httpx.Response) -> dict[str, Any]:
    document = _json(response)
    if isinstance(document, dict):
        return document
    return {"detail": f"{response.status_code} {response.reason_phrase}"}


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None
