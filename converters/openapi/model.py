"""What an API consists of, whatever version of OpenAPI described it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from converters.reading import Node


class Place(StrEnum):
    """Where a parameter stands in a request."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `style` and `explode` as in OpenAPI 3, `media_type` where its text is a document."""

    node: Node
    name: str
    place: Place
    schema: Node
    is_required: bool = False
    style: str = "form"
    explode: bool = True
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a form."""

    schema: Node
    is_required: bool = False
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """A body in one media type. `parts` are the fields of a form, or what is known of some of them."""

    node: Node
    media_type: str
    schema: Node
    parts: Mapping[str, Part]


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries."""

    node: Node
    contents: tuple[Content, ...]
    is_required: bool


@dataclass(frozen=True, slots=True)
class Response:
    """What answers; `headers` by their names in lower case."""

    node: Node
    status: str
    description: str
    contents: tuple[Content, ...]
    headers: Mapping[str, Node]

    @property
    def is_success(self) -> bool:
        return self.status.startswith("2")


@dataclass(frozen=True, slots=True)
class Server:
    """Where an API is: a URL, absolute or not, without variables."""

    node: Node
    url: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    node: Node
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: tuple[Response, ...]
    # None where the API's own hold.
    servers: tuple[Server, ...] | None
    security: Node | None
    callbacks: Node

    def text(self, name: str, limit_chars: int) -> str:
        return self.node.member(name).prose(limit_chars) or ""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to be let in, as a security scheme of TD 1.1; `flows` has further ones of OAuth 2."""

    definition: Mapping[str, Any]
    further: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Api:
    """A whole document; what is many is read on demand."""

    root: Node
    servers: tuple[Server, ...]
    schemes: Mapping[str, Scheme]
    security: Node
