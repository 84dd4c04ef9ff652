"""Small models in the ONNX format, written field by field; the numbers are those of onnx.proto."""

import struct
from collections.abc import Sequence

from tests.wasm.leb128 import encode

FLOAT, UINT8, INT32, INT64, STRING, BOOL = 1, 2, 6, 7, 8, 9
IR_VERSION, OPERATORS_VERSION = 8, 17


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return encode(number << 3) + encode(value)
    body = value.encode() if isinstance(value, str) else value
    return encode(number << 3 | 2) + encode(len(body)) + body


def value(name: str, kind: int, shape: Sequence[int | str] | None) -> bytes:
    """An input or output; dimensions that are names may be of any size."""
    of = field(1, kind)
    if shape is not None:
        parts = [field(1, field(2 if isinstance(each, str) else 1, each)) for each in shape]
        of += field(2, b"".join(parts))
    return field(1, name) + field(2, field(1, of))


def weights(name: str, kind: int, shape: Sequence[int], raw: bytes) -> bytes:
    sizes = b"".join(field(1, each) for each in shape)
    return sizes + field(2, kind) + field(8, name) + field(9, raw)


def floats(name: str, *numbers: float) -> bytes:
    return weights(name, FLOAT, [len(numbers)], struct.pack(f"<{len(numbers)}f", *numbers))


def node(
    operation: str, inputs: Sequence[str], outputs: Sequence[str], *attributes: bytes
) -> bytes:
    parts = [field(1, each) for each in inputs] + [field(2, each) for each in outputs]
    return b"".join([*parts, field(4, operation), *(field(5, each) for each in attributes)])


def subgraph(name: str, graph_: bytes) -> bytes:
    """An attribute."""
    return field(1, name) + field(6, graph_) + field(20, 5)


def graph(
    nodes: Sequence[bytes],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    initializers: Sequence[bytes] = (),
) -> bytes:
    parts = [field(1, each) for each in nodes] + [field(2, "graph")]
    parts += [field(5, each) for each in initializers]
    parts += [field(11, each) for each in inputs] + [field(12, each) for each in outputs]
    return b"".join(parts)


def model(graph_: bytes, *more: bytes) -> bytes:
    operators = field(8, field(1, "") + field(2, OPERATORS_VERSION))
    return b"".join([field(1, IR_VERSION), field(7, graph_), operators, *more])


# y = x + (1, 2, 3, 4)
ADD = model(
    graph(
        [node("Add", ["x", "w"], ["y"])],
        [value("x", FLOAT, [4])],
        [value("y", FLOAT, [4])],
        [floats("w", 1, 2, 3, 4)],
    )
)
# As many zeros as it is asked for.
ZEROS = model(
    graph(
        [node("ConstantOfShape", ["x"], ["y"])],
        [value("x", INT64, ["n"])],
        [value("y", FLOAT, None)],
    )
)
_BODY = graph(
    [node("Identity", ["go"], ["on"]), node("Add", ["a", "a"], ["b"])],
    [value("i", INT64, []), value("go", BOOL, []), value("a", FLOAT, [1])],
    [value("on", BOOL, []), value("b", FLOAT, [1])],
)
# Doubles a number 2**40 times.
ENDLESS = model(
    graph(
        [node("Loop", ["times", "", "x"], ["y"], subgraph("body", _BODY))],
        [value("x", FLOAT, [1])],
        [value("y", FLOAT, [1])],
        [weights("times", INT64, [], struct.pack("<q", 2**40))],
    )
)
