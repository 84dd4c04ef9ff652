"""What a model in the ONNX format may consist of, found out before the runtime sees it.

Field numbers are those of onnx.proto. The runtime would read files that a model names, and take
any amount of memory while it loads one: for sparse weights, for functions within functions.
"""

from collections.abc import Iterator
from enum import Enum, auto

from servient.wasm.imports.nn.errno import Errno, Refused

# Each node, weight and attribute costs the runtime some hundred bytes, whatever its size here; and
# each field some time here.
MESSAGES_LIMIT = 200_000
FIELDS_LIMIT = 2_000_000
DEPTH_LIMIT = 16
# They make texts of any length, or read files.
REFUSED_OPERATIONS = frozenset({b"StringConcat", b"EPContext"})
STRING = 8  # of TensorProto.DataType

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}
_VARINT_LIMIT_BYTES = 10


class _Kind(Enum):
    MODEL = auto()
    GRAPH = auto()
    NODE = auto()
    ATTRIBUTE = auto()
    TENSOR = auto()


_PARTS = {
    _Kind.MODEL: {7: _Kind.GRAPH},
    _Kind.GRAPH: {1: _Kind.NODE, 5: _Kind.TENSOR},
    _Kind.NODE: {5: _Kind.ATTRIBUTE},
    _Kind.ATTRIBUTE: {5: _Kind.TENSOR, 6: _Kind.GRAPH, 10: _Kind.TENSOR, 11: _Kind.GRAPH},
    _Kind.TENSOR: {},
}
_REFUSED_FIELDS = {
    _Kind.MODEL: {20: "training", 25: "functions of its own"},
    _Kind.GRAPH: {15: "sparse weights"},
    _Kind.NODE: {},
    _Kind.ATTRIBUTE: {22: "sparse weights", 23: "sparse weights"},
    _Kind.TENSOR: {13: "weights in other files"},
}


def check_model(model: bytes) -> None:
    """Raises Refused for what is no model, and for one that may not be loaded."""
    count = fields = 0
    waiting = [(_Kind.MODEL, memoryview(model), 0)]
    while waiting:
        kind, message, depth = waiting.pop()
        count += 1
        if count > MESSAGES_LIMIT or depth > DEPTH_LIMIT:
            raise Refused(Errno.TOO_LARGE, "the model has too many parts")
        for field, wire, value in _fields(message):
            fields += 1
            if fields > FIELDS_LIMIT:
                raise Refused(Errno.TOO_LARGE, "the model has too many parts")
            if what := _REFUSED_FIELDS[kind].get(field):
                raise Refused(Errno.UNSUPPORTED_OPERATION, f"the model has {what}")
            _check_value(kind, field, value)
            part = _PARTS[kind].get(field)
            if part and wire == _BYTES and isinstance(value, memoryview):
                waiting.append((part, value, depth + (part is _Kind.GRAPH)))


def _check_value(kind: _Kind, field: int, value: "int | memoryview") -> None:
    match kind, field, value:
        case _Kind.TENSOR, 14, int() if value:
            raise Refused(Errno.UNSUPPORTED_OPERATION, "the model has weights in other files")
        case _Kind.TENSOR, 2, int() if value == STRING:
            raise Refused(Errno.UNSUPPORTED_OPERATION, "the model has texts for weights")
        case _Kind.NODE, 4, memoryview() if bytes(value) in REFUSED_OPERATIONS:
            raise Refused(Errno.UNSUPPORTED_OPERATION, f"the model has {bytes(value).decode()}")


def _fields(message: memoryview) -> Iterator[tuple[int, int, "int | memoryview"]]:
    """Field number, wire type and value of each field; see protobuf.dev, "Encoding"."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        field, wire = key >> 3, key & 7
        if wire == _VARINT:
            number, at = _varint(message, at)
            yield field, wire, number
            continue
        if wire == _BYTES:
            size, at = _varint(message, at)
        elif wire in _FIXED_SIZES:
            size = _FIXED_SIZES[wire]
        else:  # groups, which nobody writes any more
            raise Refused(Errno.INVALID_ENCODING, "it is no model in the ONNX format")
        if size > len(message) - at:
            raise Refused(Errno.INVALID_ENCODING, "the model is cut off")
        yield field, wire, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number and where it ends; none that is longer than it must be, lest readers differ."""
    number = 0
    for position, byte in enumerate(message[at : at + _VARINT_LIMIT_BYTES]):
        number |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            if position and not byte:
                break
            return number, at + position + 1
    raise Refused(Errno.INVALID_ENCODING, "it is no model in the ONNX format")
