"""Responses: what an operation gives, and how it says that it failed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from converters.losses import Losses
from converters.openapi.bodies import Bodies, Value
from converters.openapi.model import Operation, Response
from converters.schema_builder import Direction, as_value
from converters.schema_keywords import Schema, distinct
from converters.schema_merging import exclusive
from thing_descriptions.builder import affordance_name

_HEADER = "a data schema has no place for a header of a response"
_RANGE = "an additional response has one status code or none"
_EMPTY = "the output is described as if there always were one"
_SCHEMA_NAME_LIMIT_CHARS = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """The output of an operation, None when there is none; and what answers when it fails."""

    output: Value | None
    additional: tuple[Mapping[str, Any], ...]
    is_synchronous: bool


class SchemaNames:
    """The schema definitions of a Thing: equal ones have one name."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self._names: dict[str, str] = {}

    def name(self, schema: Schema, wanted: str) -> str:
        text = json.dumps(schema, sort_keys=True)
        if text not in self._names:
            base = affordance_name(wanted)[:_SCHEMA_NAME_LIMIT_CHARS] or "schema"
            name, number = base, 1
            while name in self.definitions:
                number += 1
                name = f"{base}_{number}"
            self._names[text] = name
            self.definitions[name] = schema
        return self._names[text]


class Answers:
    """Reads the responses of operations."""

    def __init__(self, bodies: Bodies, names: SchemaNames, losses: Losses) -> None:
        self._bodies = bodies
        self._names = names
        self._losses = losses

    def of(self, operation: Operation) -> Answer:
        responses = operation.responses
        successes = [response for response in responses if response.is_success]
        if not successes:  # then `default` is all that is known
            successes = [response for response in responses if response.status == "default"]
        others = [response for response in responses if response not in successes]
        is_synchronous = not any(_is_accepted(response) for response in successes)
        for response in responses:
            for name, header in response.headers.items():
                if name != "location" or is_synchronous or response not in successes:
                    self._losses.drop(header, name, _HEADER)
        return Answer(
            self._output(successes),
            tuple(self._additional(response) for response in others),
            is_synchronous,
        )

    def _output(self, responses: Sequence[Response]) -> Value | None:
        telling = [response for response in responses if response.contents]
        if not telling:
            return None
        if len(telling) < len(responses):
            for response in responses:
                if not response.contents:
                    self._losses.drop(response.node, response.status, _EMPTY)
        values = [self._bodies.value(r.contents, Direction.OUTPUT) for r in telling]
        media_types = tuple(dict.fromkeys(m for value in values for m in value.media_types))
        schemas = distinct([value.schema for value in values])
        if len(schemas) == 1:
            return Value(schemas[0], media_types)
        options, is_weaker = exclusive([as_value(schema) for schema in schemas], are_exact=False)
        if is_weaker:
            why = "the outputs of several responses do not exclude each other, as oneOf wants"
            for response in telling:
                self._losses.drop(response.node, response.status, why)
        if len(options) == 1:
            return Value(options[0], media_types)
        return Value({"oneOf": options} if options else {}, media_types)

    def _additional(self, response: Response) -> Mapping[str, Any]:
        entry: dict[str, Any] = {"success": False}
        if response.status.isascii() and response.status.isdigit():
            entry["htv:statusCodeValue"] = int(response.status[:3])
        elif response.status != "default":
            self._losses.drop(response.node, response.status, _RANGE)
        if response.description:
            entry["description"] = response.description
        if not response.contents:
            return entry
        value = self._bodies.value(response.contents, Direction.OUTPUT)
        entry["contentType"] = value.media_types[0]
        for content in response.contents[1:]:
            if content.media_type != value.media_types[0]:
                why = "an additional response has one media type"
                place = content.schema if content.node.is_null else content.node
                self._losses.drop(place, content.media_type, why)
        if value.schema:
            entry["schema"] = self._names.name(as_value(value.schema), _name_of(response))
        return entry


def _is_accepted(response: Response) -> bool:
    return response.status in {"201", "202"} and "location" in response.headers


def _name_of(response: Response) -> str:
    """The name of the schema that the response refers to, or one of its status."""
    schema = response.contents[0].schema
    reference = schema.value.get("$ref") if schema.is_object else None
    if isinstance(reference, str) and reference.rpartition("/")[2]:
        return reference.rpartition("/")[2]
    return f"response_{response.status}"
