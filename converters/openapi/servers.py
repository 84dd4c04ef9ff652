"""Where an API is: servers of OpenAPI 3, and of OpenAPI 2 a host, a path and schemes."""

import re
from collections.abc import Iterator
from urllib.parse import quote, urljoin, urlsplit

from converters.errors import ConversionError
from converters.losses import Losses
from converters.openapi.model import Server
from converters.reading import Node

SERVERS_LIMIT = 16
VARIABLES_LIMIT = 64
URL_LIMIT_CHARS = 2048

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_SAFE = "/:@!$&'()*+,;=-._~%?#[]"
_FIXED = "a form has no variables for a server: their defaults stand in its place"


def read_servers(node: Node, source_url: str, losses: Losses) -> tuple[Server, ...]:
    """The servers (OpenAPI 3.1.0 section 4.8.5), relative ones as seen from `source_url`."""
    found = []
    for index, server in enumerate(_elements(node, losses)):
        if index >= SERVERS_LIMIT:
            losses.drop(server, "server", f"only {SERVERS_LIMIT} servers are kept")
            continue
        try:
            url = _url(server, losses)
            losses.rest(server, {"url", "description", "variables"})
            if server.member("description").prose(1):
                place = server.member("description")
                losses.drop(place, "description", "a form has no words about its server")
            found.append(Server(server, _absolute(server, url, source_url)))
        except ConversionError as error:
            losses.fault(Node(server.value, error.pointer), error.message)
    return tuple(found)


def read_host(root: Node, source_url: str, losses: Losses) -> tuple[Server, ...]:
    """The servers that OpenAPI 2.0's `host`, `basePath` and `schemes` mean."""
    path = root.member("basePath").prose(URL_LIMIT_CHARS) or "/"
    host = root.member("host").prose(URL_LIMIT_CHARS)
    path = path if path.startswith("/") else f"/{path}"
    if not host:
        return (Server(root, _absolute(root.member("basePath"), path, source_url)),)
    schemes = root.member("schemes")
    names = (
        [n for n in schemes.value or () if isinstance(n, str)]
        if isinstance(schemes.value, list)
        else []
    )
    usable = [name for name in names if name in {"http", "https"}]
    for name in names:
        if name not in usable:
            losses.drop(schemes, name, "only http and https are carried over")
    urls = [f"{name}://{host}{path}" for name in usable or ["https"]]
    return tuple(Server(root, _absolute(root.member("host"), url, source_url)) for url in urls)


def _url(server: Node, losses: Losses) -> str:
    # An empty one is where the document is, as "/" or "." mostly mean.
    url = server.member("url")
    template = "/" if url.value == "" else url.text(URL_LIMIT_CHARS)
    variables = server.member("variables")
    if not variables.is_null:
        losses.drop(variables, "variables", _FIXED)

    def value(match: re.Match[str]) -> str:
        variable = variables.member(match[1])
        default = variable.member("default")
        if default.is_null:
            losses.fault(default, f"the variable {match[1]!r} has no default")
            return match[1]
        return str(default.value)

    return _VARIABLE.sub(value, template)


def _absolute(node: Node, url: str, source_url: str) -> str:
    """The URL with a slash behind its path, so that the paths of operations go on from there."""
    url = quote(url.strip(), safe=_SAFE)
    try:
        url = urljoin(source_url, url) if source_url else url
        parts = urlsplit(url)
    except ValueError as error:
        raise node.fail("is not a URL") from error
    if parts.scheme and parts.scheme not in {"http", "https"}:
        raise node.fail("expected an http or https URL")
    if parts.scheme and not parts.hostname:
        raise node.fail("has no host")
    path = parts.path if parts.path.endswith("/") else f"{parts.path}/"
    return parts._replace(path=path).geturl()


def _elements(node: Node, losses: Losses) -> Iterator[Node]:
    try:
        yield from node.elements(10_000)
    except ConversionError as error:
        losses.fault(node, error.message)
