"""A data schema of a Thing Description, compiled once, that checks and normalises values."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry

from servient.errors import InvalidInput, UnsupportedContent
from servient.wot.content import JSON_MEDIA_TYPE, OCTET_STREAM, Content, Value

FAULTS_LIMIT = 16


class DataSchema:
    """What a value must look like; from the `input`, `output` or `data` of an affordance."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        # An own, empty registry: a $ref in a Thing Description is never fetched from anywhere.
        self._validator = Draft7Validator(document, registry=Registry())
        members = document.get("properties", {})
        self._files = {name: s for name, s in members.items() if is_file(s)}

    def accept(self, value: Value) -> Value:
        """The value as a handler gets it: files decoded to `Content`. Raises InvalidInput."""
        value = self._place(value)
        if value is None and self.document.get("type") == "object":
            value = {}  # no body at all: what is missing in it is named below
        faults = [
            to_fault(error)
            for error, _ in zip(
                self._validator.iter_errors(_without_files(value)),
                range(FAULTS_LIMIT),
                strict=False,
            )
        ]
        if faults:
            where = faults[0]["pointer"]
            raise InvalidInput(f"{where or 'the input'}: {faults[0]['detail']}", faults)
        return self._decode(value)

    def _place(self, value: Value) -> Value:
        """Put a bare body where it belongs: it is the value itself or the only file of the input."""
        if not isinstance(value, Content) or is_file(self.document):
            return value
        if len(self._files) == 1:
            return {next(iter(self._files)): value}
        raise UnsupportedContent(f"this does not take {value.media_type}")

    def _decode(self, value: Value) -> Value:
        if is_file(self.document) and isinstance(value, str):
            return _file("", value, self.document)
        if not self._files or not isinstance(value, dict):
            return value
        return {
            name: _file(name, member, self._files[name])
            if name in self._files and isinstance(member, str)
            else member
            for name, member in value.items()
        }


def is_file(schema: Any) -> bool:
    """Whether values of this schema are bytes: base64 in JSON, or a body of their own."""
    return isinstance(schema, Mapping) and schema.get("contentEncoding") == "base64"


def media_type_of(schema: Mapping[str, Any]) -> str:
    """What values of a schema are on a wire that carries bytes."""
    return schema.get("contentMediaType", OCTET_STREAM) if is_file(schema) else JSON_MEDIA_TYPE


def to_fault(error: ValidationError) -> dict[str, str]:
    """One fault of an input: a JSON pointer (RFC 6901) and what is wrong there."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in error.absolute_path)
    return {"pointer": "".join(f"/{step}" for step in steps), "detail": error.message[:200]}


def _without_files(value: Value) -> Value:
    """A stand-in for validation: a file is a string as far as its schema is concerned."""
    if isinstance(value, Content):
        return ""
    if isinstance(value, dict):
        return {name: "" if isinstance(m, Content) else m for name, m in value.items()}
    return value


def _file(name: str, text: str, schema: Mapping[str, Any]) -> Content:
    try:
        body = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        pointer = f"/{name}" if name else ""
        raise InvalidInput(
            f"{pointer or 'the input'}: not base64",
            [{"pointer": pointer, "detail": f"not base64: {error}"}],
        ) from error
    return Content(body, schema.get("contentMediaType", OCTET_STREAM))
