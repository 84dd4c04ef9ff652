"""Tensors, and how they lie in a guest's memory."""

import math
import struct
from dataclasses import dataclass

from servient.wasm.imports.caller import Caller
from servient.wasm.imports.nn.errno import Errno, Refused

# The record `tensor` of wasi-nn.witx: dimensions (address, count), type, data (address, bytes).
LAYOUT = struct.Struct("<IIB3xII")
DIMENSIONS_LIMIT = 16
# By `tensor_type` and the size of an element. Before f64 and i64 were added, u8 and i32 had smaller
# numbers, and modules of that time still run: the size of their data tells which they mean.
TYPES = {
    (0, 2): "float16",
    (1, 4): "float32",
    (2, 8): "float64",
    (2, 1): "uint8",
    (3, 1): "uint8",
    (3, 4): "int32",
    (4, 4): "int32",
    (5, 8): "int64",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """Elements one after the other, the last dimension's first; types have numpy's names."""

    type: str
    shape: tuple[int, ...]
    data: bytes


def read_tensor(caller: Caller, address: int, room_bytes: int) -> Tensor:
    """A copy of the tensor whose record lies there. Raises Refused and OutOfBounds."""
    dimensions_at, count, kind, data_at, size = LAYOUT.unpack(caller.read(address, LAYOUT.size))
    if count > DIMENSIONS_LIMIT:
        raise Refused(Errno.TOO_LARGE, f"a tensor of {count} dimensions")
    if size > room_bytes:
        raise Refused(
            Errno.TOO_LARGE, f"a tensor of {size} bytes, and there is room for {room_bytes}"
        )
    shape = struct.unpack(f"<{count}I", caller.read(dimensions_at, 4 * count))
    elements = math.prod(shape)
    if not elements or size % elements or (kind, size // elements) not in TYPES:
        raise Refused(
            Errno.INVALID_ARGUMENT, f"{size} bytes are no tensor of type {kind} and shape {shape}"
        )
    return Tensor(TYPES[kind, size // elements], shape, caller.read(data_at, size))
