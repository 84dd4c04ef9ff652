"""Lists of Thing Descriptions in pages (WoT Discovery section 6.2.2.2, Listing)."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from servient.bindings.http.messages import Request
from servient.errors import InvalidInput
from servient.wot.content import to_json

LIST_PATH = "/things"
PAGE_LIMIT = 1000

_DISCOVERY_CONTEXT = "https://www.w3.org/2022/wot/discovery"


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the list is wanted, and how; everything when there is no `limit`."""

    offset: int = 0
    limit: int | None = None
    is_collection: bool = False

    def of(self, bodies: Sequence[bytes]) -> bytes:
        """The part of a list of encoded TDs, as an array or as a ThingCollection."""
        end = len(bodies) if self.limit is None else self.offset + self.limit
        members = b"[%b]" % b",".join(bodies[self.offset : end])
        if not self.is_collection:
            return members
        rest = {"@context": _DISCOVERY_CONTEXT, "@type": "ThingCollection", "total": len(bodies)}
        rest["@id"] = self._path(self.offset)
        if (following := self._following(len(bodies))) is not None:
            rest["next"] = following
        return to_json(rest)[:-1] + b',"members":%b}' % members

    def links(self, total: int, etag: str) -> str:
        """The Link header (RFC 8288) of a part of a list of so many."""
        links = [f'<{LIST_PATH}>; rel="canonical"; etag={etag}']
        if (following := self._following(total)) is not None:
            links.insert(0, f'<{following}>; rel="next"')
        return ", ".join(links)

    def _following(self, total: int) -> str | None:
        if self.limit is None or self.offset + self.limit >= total:
            return None
        return self._path(self.offset + self.limit)

    def _path(self, offset: int) -> str:
        query: dict[str, int | str] = {"offset": offset}
        if self.limit is not None:
            query["limit"] = self.limit
        if self.is_collection:
            query["format"] = "collection"
        return f"{LIST_PATH}?{urlencode(query)}"


def parse_page(request: Request) -> Page:
    """What the query asks for; parameters that are not known are not looked at.

    Raises InvalidInput. The order is always that of the ids.
    """
    query = dict(request.query)
    limit = _number(query, "limit", 1)
    if limit is not None and limit > PAGE_LIMIT:
        raise InvalidInput(f"limit: no more than {PAGE_LIMIT} Things are listed in one page")
    form = query.get("format", "array")
    if form not in ("array", "collection"):
        raise InvalidInput(f"format: array or collection is wanted, not {form[:50]!r}")
    return Page(_number(query, "offset", 0) or 0, limit, form == "collection")


def _number(query: dict[str, str], name: str, least: int) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < least:
        raise InvalidInput(f"{name}: a number from {least} is wanted, not {text[:50]!r}")
    return int(text)
