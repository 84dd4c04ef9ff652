"""Arguments and results between Python numbers and the engine's untyped slots."""

import itertools
import math
import struct
from collections.abc import Mapping, Sequence
from ctypes import Array
from typing import Any

from servient.errors import InvalidInput
from servient.wasm.types import Signature, ValueType

# One slot is 16 bytes, always little-endian (`wasmtime_val_raw_t` in wasmtime/val.h).
SLOT_BYTES = 16
SLOTS = {
    ValueType.I32: "i12x",
    ValueType.I64: "q8x",
    ValueType.F32: "f12x",
    ValueType.F64: "d8x",
}
INTEGER_BITS = {ValueType.I32: 32, ValueType.I64: 64}
LARGEST_F32 = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
WORDS: dict[type, str] = {
    bool: "a boolean",
    float: "a floating-point number",
    str: "a string",
    type(None): "null",
}


class Codec:
    """How the arguments and results of one signature lie in its slots."""

    def __init__(self, signature: Signature) -> None:
        self.slot_count = max(1, len(signature.parameters), len(signature.results))
        self._signature = signature
        self._plain = (int,) * len(signature.parameters)
        self._is_integral = INTEGER_BITS.keys() >= set(signature.parameters)
        self._arguments = _layout(signature.parameters)
        self._results = _layout(signature.results)

    def put(self, slots: "Array[Any]", function: str, arguments: Sequence[Any]) -> None:
        """Check arguments and put them into the slots. Raises InvalidInput."""
        if self._is_integral and tuple(map(type, arguments)) == self._plain:
            try:
                self.encode(slots, arguments)
            except struct.error:
                pass  # unsigned, or out of range: which of them is found out below
            else:
                return
        self.encode(slots, check_arguments(function, self._signature, arguments))

    def encode(self, slots: "Array[Any]", arguments: Sequence[int | float]) -> None:
        """Put arguments that `check_arguments` returned into the slots."""
        self._arguments.pack_into(slots, 0, *arguments)

    def decode(self, slots: "Array[Any]") -> tuple[int | float, ...]:
        return self._results.unpack_from(slots)


class TaggedCodec(Codec):
    """The same in slots that say what is in them, each with the number of its type's kind."""

    def __init__(self, signature: Signature, kinds: Mapping[ValueType, int]) -> None:
        super().__init__(signature)
        self._kinds = tuple(kinds[each] for each in signature.parameters)
        self._arguments = _tagged_layout("B7x", signature.parameters)
        self._results = _tagged_layout("8x", signature.results)

    def encode(self, slots: "Array[Any]", arguments: Sequence[int | float]) -> None:
        tagged = itertools.chain.from_iterable(zip(self._kinds, arguments, strict=True))
        self._arguments.pack_into(slots, 0, *tagged)


def _tagged_layout(tag: str, types: Sequence[ValueType]) -> struct.Struct:
    """Of `wasmtime_val_t` (wasmtime/val.h): a tag, then a slot, both aligned as the largest of values."""
    return struct.Struct("<" + "".join(f"{tag}{SLOTS[each]}8x" for each in types))


def _layout(types: Sequence[ValueType]) -> struct.Struct:
    return struct.Struct("<" + "".join(SLOTS[each] for each in types))


def check_arguments(
    function: str, signature: Signature, arguments: Sequence[object]
) -> tuple[int | float, ...]:
    """The arguments as the slots take them: integers signed, floats as floats.

    Integers may come in their signed or their unsigned form. Raises InvalidInput, which names the
    position, for a wrong number, type or range.
    """
    expected = signature.parameters
    if len(arguments) != len(expected):
        raise InvalidInput(
            f"{function!r} takes {len(expected)} arguments, and {len(arguments)} were given"
        )
    return tuple(
        _check(f"argument {position} of {function!r}", type_, value)
        for position, (type_, value) in enumerate(zip(expected, arguments, strict=True), 1)
    )


def _check(what: str, type_: ValueType, value: object) -> int | float:
    if type_ in INTEGER_BITS:
        return _check_integer(what, type_, value)
    return _check_float(what, type_, value)


def _check_integer(what: str, type_: ValueType, value: object) -> int:
    # A boolean is an int to Python only.
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInput(f"{what} must be an integer ({type_}), not {_word(value)}")
    bits = INTEGER_BITS[type_]
    if not -(1 << (bits - 1)) <= value < 1 << bits:
        raise InvalidInput(f"{what} is outside the range of a {bits}-bit integer ({type_})")
    return value - (1 << bits) if value >> (bits - 1) > 0 else value


def _check_float(what: str, type_: ValueType, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"{what} must be a number ({type_}), not {_word(value)}")
    try:
        number = float(value)
    except OverflowError as error:
        raise InvalidInput(f"{what} is outside the range of a {type_}") from error
    if not math.isfinite(number):
        raise InvalidInput(f"{what} must be a finite number ({type_})")
    if type_ is ValueType.F32 and abs(number) > LARGEST_F32:
        raise InvalidInput(f"{what} is outside the range of a {type_}")
    return number


def _word(value: object) -> str:
    return WORDS.get(type(value), f"a value of type {type(value).__name__}")
