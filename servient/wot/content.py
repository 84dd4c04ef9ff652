"""Bytes with a media type, and the codecs that give them meaning.

A *value* is what interactions carry: a JSON value, a `Content` (a file or an image), an object whose
members are such values, or None for no value at all.
"""

import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from servient.errors import InvalidInput, ServientError
from servient.wot.json_text import make_encoder
from servient.wot.stored_file import StoredFile

JSON_MEDIA_TYPE = "application/json"
OCTET_STREAM = "application/octet-stream"

# Far below Python's recursion limit: what is taken in can be validated, copied and sent on.
NESTING_LIMIT = 100

Value: TypeAlias = Any

# No integer within has as many digits as Python declines to write.
_WIDE = 2**64


@dataclass(frozen=True, slots=True)
class Content:
    """A body and what it is: `media_type` is a type/subtype, perhaps with parameters."""

    body: bytes
    media_type: str = JSON_MEDIA_TYPE

    @property
    def is_json(self) -> bool:
        return is_json(self.media_type)


def essence(media_type: str) -> str:
    """A media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    if media_type == JSON_MEDIA_TYPE:
        return True
    name = essence(media_type)
    return name == JSON_MEDIA_TYPE or name.endswith("+json")


def to_base64(content: Content) -> str:
    """How a file stands in JSON (`contentEncoding: base64`)."""
    return base64.b64encode(content.body).decode("ascii")


def to_summary(file: StoredFile) -> Value:
    """How a file that is not at hand stands in JSON: by what it is."""
    return {"contentMediaType": file.media_type, "sizeBytes": file.size_bytes}


def to_json(value: Value) -> bytes:
    """A value as JSON text in UTF-8; files become base64.

    Raises ServientError for what JSON has no word for, such as NaN, and for too deep a nesting.
    """
    try:
        # By far the most frequent results: a float may be NaN and a str needs escaping, an int neither.
        if type(value) is int:
            return str(value).encode("ascii")
        text = _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ServientError(f"the value cannot be written as JSON: {_reason(error)}") from error
    if text.count("[") + text.count("{") > NESTING_LIMIT and _is_too_deep(value):
        raise ServientError(f"the value is nested more than {NESTING_LIMIT} levels deep")
    return text.encode("utf-8")


def require_encodable(value: Value) -> None:
    """Raises ServientError for a value that `encode` would not take."""
    # Most are known to be good without being written.
    if value is None or type(value) in (bool, Content):
        return
    if type(value) is int and -_WIDE < value < _WIDE:
        return
    encode(value)


def _file_to_json(value: object) -> Value:
    if isinstance(value, Content):
        return to_base64(value)
    if isinstance(value, StoredFile):
        return to_summary(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def to_plain(value: Value) -> Value:
    """A value with every file in it as a base64 string, for wires whose messages are JSON.

    Raises ServientError when it is nested too deeply.
    """
    try:
        return _to_plain(value)
    except RecursionError as error:
        raise ServientError(f"the value is nested more than {NESTING_LIMIT} levels deep") from error


def _to_plain(value: Value) -> Value:
    if isinstance(value, Content):
        return to_base64(value)
    if isinstance(value, StoredFile):
        return to_summary(value)
    if isinstance(value, dict):
        return {name: _to_plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_to_plain(member) for member in value]
    return value


def encode(value: Value) -> Content:
    """The bytes of a value on a wire: a file as it is, everything else as JSON."""
    if isinstance(value, Content):
        return value
    return Content(to_json(value))


def parse_json(text: bytes | str) -> Value:
    """A JSON value from outside. Raises InvalidInput, never anything else."""
    try:
        # Left to json.loads, bytes may be UTF-16 and may hold halves of surrogate pairs.
        text = text if isinstance(text, str) else str(text, "utf-8").removeprefix("\ufeff")
        value = _decode(text)
    except UnicodeDecodeError as error:
        raise InvalidInput("the body is not UTF-8") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise InvalidInput(f"the body is not JSON: {_reason(error)}") from error
    if text.count("[") + text.count("{") > NESTING_LIMIT and _is_too_deep(value):
        raise _too_deep()
    return value


def _decode(text: str) -> Value:
    """What `_DECODER.decode` gives, without its regular expressions where no space is around it."""
    try:
        value, end = _SCAN(text, 0)
    except StopIteration:
        return _DECODER.decode(text)
    return value if end == len(text) else _DECODER.decode(text)


def _too_deep() -> InvalidInput:
    return InvalidInput(f"the body is nested more than {NESTING_LIMIT} levels deep")


def _is_too_deep(value: Value) -> bool:
    level = [value]
    for _ in range(NESTING_LIMIT + 1):
        level = [container for container in level if isinstance(container, dict | list | tuple)]
        if not level:
            return False
        level = [
            member
            for container in level
            for member in (container.values() if isinstance(container, dict) else container)
        ]
    return True


def _reason(error: Exception) -> str:
    """What Python says, without its advice to programmers (on integers of over 4300 digits)."""
    return str(error).partition("; use sys.")[0]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is out of range")
    return number


# Made once: json.dumps and json.loads would make one for each value.
_encode = make_encoder(_file_to_json, allow_nan=False)
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
_SCAN: Callable[[str, int], tuple[Value, int]] = _DECODER.scan_once  # type: ignore[attr-defined] # of the standard library, without a stub
