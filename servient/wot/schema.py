"""A data schema of a Thing Description, compiled once, that checks and normalises values."""

import base64
import binascii
from collections.abc import Mapping
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from servient.errors import InvalidInput, ServientError, UnsupportedContent
from servient.wot.content import (
    JSON_MEDIA_TYPE,
    OCTET_STREAM,
    Content,
    Value,
    essence,
    parse_json,
)
from servient.wot.pointer import to_pointer
from servient.wot.quick_check import quick_check

FAULTS_LIMIT = 16
TEXT = "text/plain"


class DataSchema:
    """What a value must look like; from the `input`, `output` or `data` of an affordance."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        # An own, empty registry: a $ref in a Thing Description is never fetched from anywhere.
        self._validator = Draft7Validator(document, registry=Registry())
        self._quick = quick_check(document)
        self._members: Mapping[str, Any] = document.get("properties", {})
        self._files = {name: s for name, s in self._members.items() if is_file(s)}
        self._has_files = bool(self._files) or is_file(document)

    def accept(self, value: Value) -> Value:
        """The value as a handler gets it: files decoded to `Content`.

        Raises InvalidInput, UnsupportedContent, and ServientError when the schema itself is at fault.
        """
        # Without files, most are known to be good without being looked at in Python.
        quick = None if self._has_files or _has_file(value) else self._quick
        if quick is not None and quick.is_valid(value):
            return value
        value = self._place(value)
        if value is None and self.document.get("type") == "object":
            value = {}  # no body at all: what is missing in it is named below
        if faults := self._faults(value):
            where = faults[0]["pointer"]
            raise InvalidInput(f"{where or 'the input'}: {faults[0]['detail']}", faults)
        return self._decode(value)

    def _faults(self, value: Value) -> list[dict[str, str]]:
        value = self._without_files(value)
        if self._quick is not None and self._quick.is_valid(value):
            return []
        if self._quick is not None and self._quick.has_pattern:
            return self._quick.faults(value, FAULTS_LIMIT)
        errors = self._validator.iter_errors(value)
        try:
            return [to_fault(error) for error in islice(errors, FAULTS_LIMIT)]
        except RecursionError as error:
            raise InvalidInput("the input is nested too deeply to be checked") from error
        except OverflowError as error:  # `multipleOf` a fraction, of an integer beyond all floats
            raise InvalidInput("the input has a number that is out of range") from error
        except Unresolvable as error:
            raise ServientError(f"the data schema refers to {error.ref!r}, unknown here") from error

    def _place(self, value: Value) -> Value:
        """Put a bare body where it belongs: it is the value itself or the only file of the input."""
        if not isinstance(value, Content):
            return value
        if is_file(self.document):
            return _typed(value, self.document)
        if essence(value.media_type) == TEXT and not self._files:
            return _text(value.body, self.document)
        if len(self._files) == 1:
            [(name, schema)] = self._files.items()
            return {name: _typed(value, schema)}
        raise UnsupportedContent(f"this does not take {value.media_type[:100]}")

    def _without_files(self, value: Value) -> Value:
        """A stand-in for validation: a file is a string as far as its schema is concerned.

        Raises InvalidInput for a file where something else is declared.
        """
        if isinstance(value, Content):
            return ""
        if not isinstance(value, dict):
            return value
        return {
            name: self._stand_in(name) if isinstance(member, Content) else member
            for name, member in value.items()
        }

    def _stand_in(self, name: str) -> str:
        if name in self._members and name not in self._files:
            fault = {"pointer": to_pointer(name), "detail": "not a file"}
            raise InvalidInput(f"{fault['pointer']}: not a file", [fault])
        return ""

    def _decode(self, value: Value) -> Value:
        if is_file(self.document) and isinstance(value, str):
            return _file(None, value, self.document)
        if not self._files or not isinstance(value, dict):
            return value
        return {
            name: _file(name, member, self._files[name])
            if name in self._files and isinstance(member, str)
            else member
            for name, member in value.items()
        }


def _has_file(value: Value) -> bool:
    """Whether it is a file, or an object with one."""
    if type(value) is dict:
        return Content in map(type, value.values())
    return isinstance(value, Content)


def is_file(schema: Any) -> bool:
    """Whether values of this schema are bytes: base64 in JSON, or a body of their own."""
    return isinstance(schema, Mapping) and schema.get("contentEncoding") == "base64"


def media_type_of(schema: Mapping[str, Any]) -> str:
    """What values of a schema are on a wire that carries bytes."""
    return schema.get("contentMediaType", OCTET_STREAM) if is_file(schema) else JSON_MEDIA_TYPE


def to_fault(error: ValidationError) -> dict[str, str]:
    """One fault of an input: a JSON pointer (RFC 6901) and what is wrong there."""
    return {"pointer": to_pointer(*error.absolute_path), "detail": error.message[:200]}


def _text(body: bytes, schema: Mapping[str, Any]) -> Value:
    """What plain text says: itself where text is wanted, else the number or word that it spells."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("the body is not UTF-8") from error
    return text if schema.get("type") == "string" else parse_json(text)


def _typed(content: Content, schema: Mapping[str, Any]) -> Content:
    """A bare body of the file's own type, or of none in particular. Raises UnsupportedContent."""
    wanted = media_type_of(schema)
    sent = essence(content.media_type)
    if OCTET_STREAM in (sent, essence(wanted)):
        return Content(content.body, wanted if sent == OCTET_STREAM else content.media_type)
    if fnmatchcase(sent, essence(wanted)):  # "image/*" is wanted at times
        return content
    raise UnsupportedContent(f"this takes {wanted}, not {content.media_type[:100]}")


def _file(name: str | None, text: str, schema: Mapping[str, Any]) -> Content:
    try:
        body = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        pointer = "" if name is None else to_pointer(name)
        raise InvalidInput(
            f"{pointer or 'the input'}: not base64",
            [{"pointer": pointer, "detail": f"not base64: {error}"}],
        ) from error
    return Content(body, schema.get("contentMediaType", OCTET_STREAM))
