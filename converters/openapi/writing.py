"""Writes OpenAPI 3.1 of Thing Descriptions: every HTTP form is an operation."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from converters.openapi.written_operations import Operation, describe_operation, merge_operations
from converters.openapi.written_security import SecuritySchemes
from thing_descriptions.builder import AffordanceNames

VERSION = "3.1.0"

_KINDS = {
    "properties": ("readproperty", "writeproperty"),
    "actions": ("invokeaction",),
    "events": ("subscribeevent",),
}
_EXPRESSION = re.compile(r"\{([+#./;?&]?)([^{}]*)\}")

PROBLEM = {
    "type": "object",
    "description": "Problem Details (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
    },
}
ACTION_STATUS = {
    "type": "object",
    "description": "An invocation of an action (W3C WoT Profile).",
    "required": ["status", "href"],
    "properties": {
        "status": {"enum": ["pending", "running", "completed", "failed"]},
        "href": {"type": "string", "format": "uri-reference"},
        "output": {},
        "error": {"$ref": "#/components/schemas/Problem"},
        "timeRequested": {"type": "string", "format": "date-time"},
        "timeEnded": {"type": "string", "format": "date-time"},
    },
}
_FAILURE = {
    "description": "Why it could not be done.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def to_openapi(
    things: Sequence[Mapping[str, Any]],
    *,
    title: str,
    version: str,
    paths: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The document of the HTTP forms of Things, and of further `paths` as they are.

    Things of which no form is HTTP have no part in it. The server is the origin of the first form;
    operations that are elsewhere say so.
    """
    schemes = SecuritySchemes()
    names = AffordanceNames()
    found: dict[tuple[str, str], dict[str, Any]] = {}
    origin = ""
    for thing in things:
        for operation in _operations(thing):
            base, path = _split(operation.url)
            origin = origin or base
            described = describe_operation(operation, schemes)
            if base != origin:
                described["servers"] = [{"url": base}]
            key = (path, operation.method.lower())
            if key in found:
                merge_operations(found[key], described)
            else:
                described["operationId"] = names.take(operation.name)
                found[key] = described
    items: dict[str, dict[str, Any]] = {path: dict(item) for path, item in (paths or {}).items()}
    for (path, method), described in found.items():
        items.setdefault(path, {}).setdefault(method, described)
    document = {
        "openapi": VERSION,
        "info": {"title": title, "version": version},
        "servers": [{"url": origin}] if origin else None,
        "tags": [{"name": name} for name in dict.fromkeys(map(_title, things))] or None,
        "paths": items,
        "components": {
            "schemas": {"Problem": PROBLEM, "ActionStatus": ACTION_STATUS},
            "responses": {"Problem": _FAILURE},
            **({"securitySchemes": schemes.definitions} if schemes.definitions else {}),
        },
    }
    return {name: value for name, value in document.items() if value is not None}


def _operations(thing: Mapping[str, Any]) -> Iterator[Operation]:
    whole = {"readallproperties", "writemultipleproperties", "queryallactions"}
    whole |= {"observeallproperties", "subscribeallevents", "writeallproperties"}
    for form in thing.get("forms", ()):
        yield from _of_form(thing, "", {}, form, tuple(whole))
    for kind, defaults in _KINDS.items():
        for name, affordance in thing.get(kind, {}).items():
            for form in affordance.get("forms", ()):
                yield from _of_form(thing, name, affordance, form, defaults)


def _of_form(
    thing: Mapping[str, Any],
    name: str,
    affordance: Mapping[str, Any],
    form: Mapping[str, Any],
    defaults: Sequence[str],
) -> Iterator[Operation]:
    declared = form.get("op", defaults)
    for op in [declared] if isinstance(declared, str) else declared:
        if op.startswith(("unobserve", "unsubscribe")):
            continue  # that is the end of the same request
        url = urljoin(thing.get("base", ""), form["href"])
        if not url.startswith(("http://", "https://")):
            continue
        variables = {**thing.get("uriVariables", {}), **affordance.get("uriVariables", {})}
        yield Operation(thing, name, affordance, form, op, url, variables)


def _split(url: str) -> tuple[str, str]:
    """The origin, and the path with the names of its variables; the query is in parameters."""

    def written(match: re.Match[str]) -> str:
        operator, names = match[1], match[2].split(",")
        if operator in {"?", "&", "#"}:
            return ""
        return ",".join(f"{{{name.rstrip('*').partition(':')[0]}}}" for name in names)

    parts = urlsplit(_EXPRESSION.sub(written, url))
    return f"{parts.scheme}://{parts.netloc}", parts.path or "/"


def _title(thing: Mapping[str, Any]) -> str:
    return str(thing.get("title", "Thing"))
