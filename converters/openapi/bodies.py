"""Bodies as data schemas: their media types, the fields of forms, and files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from converters.losses import Losses
from converters.media_types import JSON, MULTIPART, OCTET_STREAM, is_json
from converters.openapi.model import Body, Content
from converters.openapi.swagger import FORM
from converters.schema_builder import Direction, SchemaBuilder, as_value
from converters.schema_keywords import Schema

MEDIA_TYPES_LIMIT = 8

_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;[\x20-\x7e]*)?", re.ASCII)
_OTHER_SCHEMA = "an affordance has one schema: that of another media type is kept"
_OPTIONAL = "TD 1.1 cannot say that an input may be left out"
_NO_MEDIA_TYPE = "this names no media type"


@dataclass(frozen=True, slots=True)
class Value:
    """What a body holds: its schema, {} when nothing is known, and the media types that carry it."""

    schema: Schema
    media_types: tuple[str, ...]


class Bodies:
    """Makes values of bodies."""

    def __init__(self, schemas: SchemaBuilder, losses: Losses) -> None:
        self._schemas = schemas
        self._losses = losses

    def input(self, body: Body) -> Value:
        if not body.is_required:
            self._losses.drop(body.node, "optional body", _OPTIONAL)
        return self.value(body.contents, Direction.INPUT)

    def value(self, contents: Sequence[Content], direction: Direction) -> Value:
        """The schema of the most telling of the contents, and all media types."""
        ordered = sorted(contents, key=lambda content: _rank(content.media_type))
        schema = self._schema(ordered[0], direction)
        media_types: list[str] = []
        for content in ordered:
            media_type = self._media_type(content, schema)
            if media_type in media_types:
                continue
            if len(media_types) >= MEDIA_TYPES_LIMIT:
                why = f"forms for only {MEDIA_TYPES_LIMIT} media types are made"
                self._losses.drop(content.node, content.media_type, why)
                continue
            media_types.append(media_type)
            if content is not ordered[0] and self._schema(content, direction) != schema:
                place = content.schema if content.node.is_null else content.node.member("schema")
                self._losses.drop(place, content.media_type, _OTHER_SCHEMA)
        return Value(schema, tuple(media_types))

    def _schema(self, content: Content, direction: Direction) -> Schema:
        known = self._schemas.build(content.schema, direction)
        if not content.parts:
            return self._of_bytes(content, known)
        members = dict(known.get("properties", {}))
        required = list(known.get("required", ()))
        for name, part in content.parts.items():
            if not part.schema.is_null:
                members[name] = as_value(self._schemas.build(part.schema, direction))
            if part.is_required:
                required.append(name)
            if part.media_type and name in members:
                members[name] = _carried(members[name], part.media_type)
        schema: Schema = {**known, "type": "object"}
        if members:
            schema["properties"] = members
        return schema | ({"required": required} if required else {})

    def _of_bytes(self, content: Content, known: Schema) -> Schema:
        """A body of bytes is a text of its own media type, as a file in a form is."""
        if is_json(content.media_type) or known.get("contentMediaType") != OCTET_STREAM:
            return known
        media_type = self._media_type(content, known)
        return {**known, "contentMediaType": media_type}

    def _media_type(self, content: Content, schema: Schema) -> str:
        text = content.media_type.strip()
        if _MEDIA_TYPE.fullmatch(text) and "*" not in text:
            return text
        is_bytes = schema.get("contentMediaType") == OCTET_STREAM or "image/" in text
        if "*/*" not in text:
            place = content.schema if content.node.is_null else content.node
            self._losses.fault(place, _NO_MEDIA_TYPE)
        return OCTET_STREAM if is_bytes else JSON


def _carried(schema: Schema, media_type: str) -> Schema:
    if schema.get("type") != "string" or "*" in media_type or "," in media_type:
        return schema
    return {**schema, "contentMediaType": media_type}


def _rank(media_type: str) -> int:
    essence = media_type.partition(";")[0].strip().lower()
    if essence in {JSON, "*/*"}:
        return 0
    if is_json(essence):
        return 1
    return {MULTIPART: 2, FORM: 3}.get(essence, 4)
