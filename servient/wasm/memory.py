"""The guest's memory as the host reaches it."""

import ctypes

import wasmtime

from servient.errors import ModuleTrapped
from servient.wasm.types import Signature, ValueType

ALLOC = "alloc"
ALLOC_SIGNATURE = Signature((ValueType.I32,), (ValueType.I32,))
NO_ALLOC = "the module exports no function `alloc(i32) → i32` to ask for memory"
U32 = 0xFFFFFFFF


class OutOfBounds(ModuleTrapped):
    """An address that the guest gave is outside its memory."""


def locate(
    memory: object, context: wasmtime.Store | wasmtime.Caller, address: int, length: int
) -> int:
    """The host's address of a part of the guest's memory, until the guest runs again.

    `memory` is the guest's export of that name. Address and length are taken as Wasm gives them: 32
    bits, signed or not. Raises OutOfBounds, and ModuleTrapped when there is no memory.
    """
    if not isinstance(memory, wasmtime.Memory):
        raise ModuleTrapped("the module exports no memory")
    start, count = address & U32, length & U32
    size = memory.data_len(context)
    if start + count > size:
        raise OutOfBounds(f"{count} bytes at {start} are outside its memory of {size} bytes")
    base = ctypes.cast(memory.data_ptr(context), ctypes.c_void_p).value
    return (base or 0) + start
