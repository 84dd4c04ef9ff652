"""A servient as commands see it: its Things, its own properties and actions."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urljoin

import httpx

from servient.cli.access import Access
from servient.cli.exchange import Body, Exchange, parsed
from servient.cli.output import CommandFailed
from servient.cli.refusals import refusal

OWN_THING = "servient"
PAGE_THINGS = 200
PAGES_LIMIT = 1000

Td = dict[str, Any]
T = TypeVar("T")


class Remote:
    """Raises CommandFailed for everything that goes wrong, in words that say what to do."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._exchange = Exchange(access)
        self.send = self._exchange.send

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._exchange.__aexit__(kind, error, trace)

    async def ask(
        self, method: str, path: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> tuple[httpx.Response, Any]:
        """The response to a request that is not refused, and the JSON in it."""
        response = await self.send(method, path, body, headers)
        value = parsed(response)
        if response.is_error:
            said = value if isinstance(value, dict) else {}
            raise refusal(response.status_code, said)
        if value is None and response.content.strip() not in (b"", b"null"):
            raise self._no_servient()
        return response, value

    async def invoke(self, action: str, body: Body, headers: Mapping[str, str]) -> Any:
        """An action of the servient itself, with an input in JSON."""
        headers = {"Content-Type": "application/json", **headers}
        return (await self.ask("POST", f"/things/{OWN_THING}/actions/{action}", body, headers))[1]

    async def read(self, name: str) -> list[dict[str, Any]]:
        """A property of the servient itself that is a list of objects."""
        _, found = await self.ask("GET", f"/things/{OWN_THING}/properties/{name}")
        if not isinstance(found, list):
            raise self._no_servient()
        return [each for each in found if isinstance(each, dict)]

    # Things

    async def own_td(self) -> Td:
        """The description of the servient itself."""
        return self._checked((await self.ask("GET", "/.well-known/wot"))[1])

    async def td(self, name: str) -> Td | None:
        """The description of a Thing by its name in paths; None when there is no such Thing."""
        response = await self.send("GET", f"/things/{quote(name, safe=':')}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        if response.is_error:
            said = parsed(response)
            raise refusal(response.status_code, said if isinstance(said, dict) else {})
        return self._checked(parsed(response))

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
            path = self._following(response)
        return found

    def _following(self, response: httpx.Response) -> str | None:
        """The next page, as the Link header has it; not one of another server."""
        link = response.links.get("next", {}).get("url")
        is_own = link and self._access.includes(urljoin(f"{self._access.url}/", link))
        return link if is_own else None

    def _checked(self, document: Any) -> Td:
        if not isinstance(document, dict) or "title" not in document:
            raise self._no_servient()
        return document

    def _no_servient(self) -> CommandFailed:
        return CommandFailed(f"{self._access.url} answers, and is no servient: see --url")
