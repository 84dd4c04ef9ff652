"""The CoRE Link Format (RFC 6690): links to resources, and filters over them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """A link to one resource, with its content format and resource type."""

    href: str
    content_format: int
    resource_type: str

    def __str__(self) -> str:
        return f'<{self.href}>;rt="{self.resource_type}";ct={self.content_format}'

    def matches(self, query: str) -> bool:
        """Whether it passes a filter such as `rt=wot.*` (RFC 6690 section 4.1)."""
        name, _, wanted = query.partition("=")
        attributes = {
            "href": self.href,
            "rt": self.resource_type,
            "ct": str(self.content_format),
        }
        if name not in attributes:
            return False
        if wanted.endswith("*"):
            return attributes[name].startswith(wanted[:-1])
        return attributes[name] == wanted


def to_link_format(links: Iterable[Link], queries: Iterable[str]) -> bytes:
    """The links that pass all filters; a query that is no filter is not heeded."""
    filters = [query for query in queries if "=" in query]
    passing = (str(link) for link in links if all(link.matches(query) for query in filters))
    return ",".join(passing).encode()
