"""Forms: where and how an operation is done, on each server and in each media type."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from converters.losses import Losses
from converters.openapi.answers import Answer
from converters.openapi.bodies import Value
from converters.openapi.hrefs import Href
from converters.openapi.model import Api, Operation, Parameter, Place, Server
from converters.openapi.security import Security
from converters.reading import Node

FORMS_LIMIT = 16
METHOD = "htv:methodName"

_HEADERS = "htv:headers"
_VARYING = "a form has fixed headers only; who consumes it has to send this one by other means"
_COOKIE = "a form has no cookies"


class Forms:
    """Makes the forms of operations of an API."""

    def __init__(self, api: Api, security: Security, losses: Losses) -> None:
        self._api = api
        self._security = security
        self._losses = losses
        self._root = security.access(api.security)

    @property
    def base(self) -> str:
        return self._api.servers[0].url if self._api.servers else ""

    @property
    def security(self) -> Sequence[str]:
        return self._root.security

    def of(
        self, operation: Operation, op: str, href: Href, body: Value | None, answer: Answer
    ) -> list[dict[str, Any]]:
        """The forms for an operation of TD 1.1 such as `invokeaction`."""
        shared = self._shared(operation, op, answer)
        requests: Sequence[str | None] = body.media_types if body else (None,)
        responses: Sequence[str | None] = answer.output.media_types if answer.output else (None,)
        found = [
            {"href": url, **_media_types(request, response), **shared}
            for url in self._hrefs(operation, href)
            for request in requests
            for response in responses
        ]
        if len(found) > FORMS_LIMIT:
            why = f"only {FORMS_LIMIT} forms are made of servers and media types"
            self._losses.drop(operation.node, f"{len(found)} forms", why)
        return found[:FORMS_LIMIT]

    def _hrefs(self, operation: Operation, href: Href) -> Iterator[str]:
        """Relative to the base on the first server, absolute on others."""
        servers: Sequence[Server] = self._api.servers
        if operation.servers is not None:
            servers = operation.servers
        for server in servers:
            is_base = server.url == self.base
            path = href.template
            yield path if is_base else server.url + path.removeprefix("./")
        if not servers:
            yield href.template

    def _shared(self, operation: Operation, op: str, answer: Answer) -> dict[str, Any]:
        form: dict[str, Any] = {"op": op, METHOD: operation.method}
        if headers := list(self._headers(operation)):
            form[_HEADERS] = headers
        if operation.security is not None:
            access = self._security.access(operation.security)
            if access.security != self._root.security:
                form["security"] = list(access.security)
        else:
            access = self._root
        if access.scopes:
            form["scopes"] = list(access.scopes)
        if answer.additional:
            form["additionalResponses"] = list(answer.additional)
        return form

    def _headers(self, operation: Operation) -> Iterator[Mapping[str, str]]:
        for parameter in operation.parameters:
            if parameter.place is Place.COOKIE:
                self._losses.drop(parameter.node, parameter.name, _COOKIE)
            elif parameter.place is Place.HEADER:
                value = _fixed(parameter)
                if value is None:
                    self._losses.drop(parameter.node, parameter.name, _VARYING)
                else:
                    yield {"htv:fieldName": parameter.name, "htv:fieldValue": value}


def _fixed(parameter: Parameter) -> str | None:
    """The value of a header that must be sent and has only one."""
    schema: Node = parameter.schema
    if not parameter.is_required or not schema.is_object:
        return None
    enum = schema.value.get("enum")
    only = enum[0] if isinstance(enum, list) and len(enum) == 1 else schema.value.get("const")
    return only if isinstance(only, str) and only.isprintable() else None


def _media_types(request: str | None, response: str | None) -> dict[str, Any]:
    if request is None:
        return {"contentType": response} if response else {}
    if response and response != request:
        return {"contentType": request, "response": {"contentType": response}}
    return {"contentType": request}
