"""Operations as properties and actions, callbacks as events."""

from collections.abc import Mapping
from typing import Any

from converters.errors import ConversionError
from converters.losses import Losses
from converters.openapi.answers import Answer, Answers
from converters.openapi.bodies import Bodies, Value
from converters.openapi.forms import Forms
from converters.openapi.hrefs import Href, to_href
from converters.openapi.model import Operation
from converters.reading import Node
from converters.schema_builder import Direction, SchemaBuilder, as_value
from converters.schema_keywords import Schema
from converters.schema_words import PROSE_LIMIT_CHARS
from thing_descriptions.builder import AffordanceNames
from thing_descriptions.vocabulary import (
    CALLBACK,
    DEPRECATED,
    EXTERNAL_DOCS,
    OPERATION_ID,
    TAGS,
)

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_IDEMPOTENT = _SAFE | {"PUT", "DELETE"}
_NAME_LIMIT_CHARS = 128
_UNTOLD = "no form says how one subscribes: a webhook is set up by other means"
_DATA = "an event's data has one schema"


class Affordances:
    """Collects the affordances of a Thing."""

    def __init__(
        self, schemas: SchemaBuilder, bodies: Bodies, answers: Answers, forms: Forms, losses: Losses
    ) -> None:
        self._schemas = schemas
        self._bodies = bodies
        self._answers = answers
        self._forms = forms
        self._losses = losses
        self._names = AffordanceNames()
        self.properties: dict[str, Any] = {}
        self.actions: dict[str, Any] = {}
        self.events: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self.properties) + len(self.actions) + len(self.events)

    def add_path(self, operations: list[Operation]) -> None:
        """The affordances of one path: what is read by GET and written by PUT is one property."""
        methods = {operation.method: operation for operation in operations}
        getter, putter = methods.get("GET"), methods.get("PUT")
        for operation in operations:
            if operation is getter and (value := self._read_value(operation)):
                is_written = putter is not None and self._is_written(putter, operation, value)
                self._add_property(operation, putter if is_written else None)
                if is_written and putter:
                    methods.pop("PUT")
            elif methods.get(operation.method) is operation:
                self._add_action(operation)

    def add_event(
        self, name: str, called: Operation, expression: str, subscriber: Operation | None
    ) -> None:
        """A callback, which an operation subscribes to, or a webhook, which nothing does."""
        event = self._words(called)
        if called.body:
            value = self._bodies.input(called.body)
            event["data"] = as_value(value.schema)
            if len(value.media_types) > 1:
                self._losses.drop(called.body.node, "media types", _DATA)
        answer = self._answers.of(called)
        if answer.output:
            event["dataResponse"] = as_value(answer.output.schema)
        if called.method != "POST":
            why = "a form does not say by which method the consumer is called"
            self._losses.drop(called.node, called.method, why)
        for parameter in called.parameters:
            why = "an event has no parameters beside its data"
            self._losses.drop(parameter.node, parameter.name, why)
        for member in ("security", "servers", "callbacks"):
            place = called.node.member(member)
            if not place.is_null:
                self._losses.drop(place, member, "who is called is the consumer")
        event |= self._subscription(called, expression, subscriber)
        self.events[self._names.take(name)] = event

    def _subscription(
        self, called: Operation, expression: str, subscriber: Operation | None
    ) -> Mapping[str, Any]:
        if subscriber is None:
            self._losses.drop(called.node, "webhook", _UNTOLD)
            form = {"href": self._forms.base or "./", "op": "subscribeevent"}
            return {"forms": [form | {"subprotocol": "webhook"}]}
        href, body, answer = self._request(subscriber)
        forms = self._forms.of(subscriber, "subscribeevent", href, body, answer)
        url: Schema = {"type": "string", "format": "uri", "description": f"As {expression}."}
        return without_absent(
            {
                "uriVariables": dict(href.variables) or None,
                "subscription": as_value(body.schema) if body else url,
                CALLBACK: expression,
                "forms": [{**form, "subprotocol": "webhook"} for form in forms],
            }
        )

    def _read_value(self, operation: Operation) -> Value | None:
        """What a GET that needs nothing gives, when something is known of it."""
        if operation.body or any(p.is_required for p in operation.parameters):
            return None
        if any(response.is_success and not response.contents for response in operation.responses):
            return None
        output = self._answers.of(operation).output
        is_reading = output and output.schema and not self._href(operation).needs_values
        return output if is_reading else None

    def _is_written(self, putter: Operation, getter: Operation, value: Value) -> bool:
        if not putter.body or {p.name for p in putter.parameters} != {
            p.name for p in getter.parameters
        }:
            return False
        read = next((r for r in getter.responses if r.is_success and r.contents), None)
        contents = putter.body.contents
        return bool(
            read
            and self._bodies.value(contents, Direction.OUTPUT).schema == value.schema
            and {c.media_type for c in contents} <= {c.media_type for c in read.contents}
        )

    def _add_property(self, getter: Operation, putter: Operation | None) -> None:
        href, _, answer = self._request(getter)
        schema = dict(answer.output.schema) if answer.output else {}
        forms = self._forms.of(getter, "readproperty", href, None, answer)
        if putter:
            _, body, written = self._request(putter)
            forms += self._forms.of(putter, "writeproperty", href, body, written)
            for member in set(putter.node.value) - {"requestBody", "responses", "parameters"}:
                why = "one property is what GET and PUT of a path are; the words of GET are kept"
                self._losses.drop(putter.node.member(member), member, why)
            if written.output:
                why = "writing a property gives nothing"
                self._losses.drop(putter.node.member("responses"), "output", why)
        affordance = schema | self._words(getter) | {"readOnly": putter is None}
        affordance.pop("writeOnly", None)
        affordance["uriVariables"] = dict(href.variables) or None
        affordance["forms"] = forms
        self.properties[self._name(getter)] = without_absent(affordance)
        self._note_synchrony(getter, answer)

    def _note_synchrony(self, getter: Operation, answer: Answer) -> None:
        if not answer.is_synchronous:
            why = "a property is read at once"
            self._losses.drop(getter.node.member("responses"), "Location", why)

    def _add_action(self, operation: Operation) -> None:
        href, body, answer = self._request(operation)
        affordance = self._words(operation) | {
            "safe": operation.method in _SAFE,
            "idempotent": operation.method in _IDEMPOTENT,
            "synchronous": answer.is_synchronous,
            "uriVariables": dict(href.variables) or None,
            "input": as_value(body.schema) if body else None,
            "output": as_value(answer.output.schema) if answer.output else None,
            "forms": self._forms.of(operation, "invokeaction", href, body, answer),
        }
        self.actions[self._name(operation)] = without_absent(affordance)

    def _request(self, operation: Operation) -> tuple[Href, Value | None, Answer]:
        body = self._bodies.input(operation.body) if operation.body else None
        return self._href(operation), body, self._answers.of(operation)

    def _href(self, operation: Operation) -> Href:
        return to_href(operation, self._schemas, self._losses)

    def _name(self, operation: Operation) -> str:
        name = operation.text("operationId", _NAME_LIMIT_CHARS)
        if not any(character.isascii() and character.isalnum() for character in name):
            name = f"{operation.method.lower()}_{operation.path.strip('/')}".strip("_")
        return self._names.take(name)

    def _words(self, operation: Operation) -> dict[str, Any]:
        """What people are told about an operation."""
        found: dict[str, Any] = {
            "title": operation.text("summary", PROSE_LIMIT_CHARS),
            "description": operation.text("description", PROSE_LIMIT_CHARS),
            OPERATION_ID: operation.text("operationId", _NAME_LIMIT_CHARS),
            DEPRECATED: operation.node.member("deprecated").value is True or None,
            TAGS: _tags(operation.node.member("tags")),
            EXTERNAL_DOCS: _url(operation.node.member("externalDocs"), self._losses),
        }
        return {name: value for name, value in found.items() if value}


def without_absent(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _tags(node: Node) -> list[str]:
    values = node.value if isinstance(node.value, list) else []
    return list(dict.fromkeys(value for value in values if isinstance(value, str) and value))


def _url(node: Node, losses: Losses) -> str | None:
    if not node.is_object:
        return None
    try:
        return node.member("url").text(2048)
    except ConversionError as error:
        losses.fault(node, error.message)
        return None
