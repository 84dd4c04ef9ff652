"""The guest as a host function sees it while it is called."""

import ctypes
import struct
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import wasmtime

from servient.errors import ActionFailed, ModuleTrapped
from servient.wasm.folder import Folder
from servient.wasm.memory import ALLOC, ALLOC_SIGNATURE, NO_ALLOC, U32, locate
from servient.wasm.output import Output
from servient.wasm.raw import call_unchecked
from servient.wasm.traps import to_error
from servient.wasm.types import Signature
from servient.wasm.values import SLOT_BYTES
from servient.wasm.watch import Watch

T = TypeVar("T")


class Interrupted(Exception):
    """The guest must stop; its watch says why."""


class Surroundings:
    """What stays the same over all host calls of one guest."""

    def __init__(
        self, exports: Mapping[str, Signature], watch: Watch, stdout: Output, folder: Folder
    ) -> None:
        self.exports = exports
        self.watch = watch
        self.stdout = stdout
        self.folder = folder
        self.belongings: dict[type, Any] = {}
        self.is_allocating = False


class Caller:
    """One call of a host function: the guest's memory, its `alloc`, its deadline and its stdout.

    Addresses and lengths are taken as Wasm gives them: 32 bits, signed or not.
    """

    def __init__(self, native: wasmtime.Caller, surroundings: Surroundings) -> None:
        self._native = native
        self._surroundings = surroundings

    # Memory

    def read(self, address: int, length: int) -> bytes:
        """Raises OutOfBounds."""
        return ctypes.string_at(self._locate(address, length), length & U32)

    def read_u32(self, address: int) -> int:
        """Little-endian. Raises OutOfBounds."""
        return int.from_bytes(self.read(address, 4), "little")

    def read_text(self, address: int, length: int) -> str:
        """Raises OutOfBounds, and ModuleTrapped for what is not UTF-8."""
        try:
            return self.read(address, length).decode()
        except UnicodeDecodeError as error:
            raise ModuleTrapped("the text that it was given is not UTF-8") from error

    def write(self, address: int, data: bytes) -> None:
        """Raises OutOfBounds, and then nothing is written."""
        ctypes.memmove(self._locate(address, len(data)), data, len(data))

    def write_u32(self, address: int, value: int) -> None:
        """Little-endian. Raises OutOfBounds."""
        self.write(address, struct.pack("<I", value))

    def allocate(self, size: int) -> int:
        """Memory of the guest's own, from the `alloc(i32) → i32` that it exports.

        Raises ActionFailed when there is no such export or it gives none, and whatever ends it.
        """
        if self._surroundings.exports.get(ALLOC) != ALLOC_SIGNATURE:
            raise ActionFailed(NO_ALLOC)
        if self._surroundings.is_allocating:
            raise ActionFailed("the module's `alloc` asks for memory from itself")
        self._surroundings.is_allocating = True
        try:
            address = self._call_alloc(size)
        finally:
            self._surroundings.is_allocating = False
        if not address:
            raise ActionFailed(f"the module's `alloc` gave no memory for {size} bytes")
        return address

    def _call_alloc(self, size: int) -> int:
        function = self._native.get(ALLOC)
        assert isinstance(function, wasmtime.Func)  # noqa: S101 - its type was a function's
        slots = (ctypes.c_uint8 * SLOT_BYTES)()
        struct.pack_into("<I", slots, 0, size)
        try:
            call_unchecked(self._native, function, slots, 1)
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            if self._surroundings.watch.interrupted:
                raise Interrupted from error
            raise to_error("the module's `alloc`", error) from error
        address: int = struct.unpack_from("<I", slots)[0]
        return address

    def _locate(self, address: int, length: int) -> int:
        """The host's address of a part of the guest's memory."""
        return locate(self._native.get("memory"), self._native, address, length)

    # What else the guest has

    def read_file(self, name: str) -> bytes | None:
        """A file of its folder, or None. Raises InvalidInput for what is no name, and TooLarge."""
        return self._surroundings.folder.collect((name,)).get(name)

    def belonging(self, kind: type[T]) -> T:
        """The one thing of this kind that host functions keep for the guest, until it is gone."""
        belongings = self._surroundings.belongings
        if kind not in belongings:
            belongings[kind] = kind()
        return cast(T, belongings[kind])

    # Time and output

    def check(self) -> None:
        """Raises Interrupted when the guest must stop."""
        if self._surroundings.watch.ending is not None:
            raise Interrupted

    def pause(self, seconds: float) -> None:
        """Sleep. Raises Interrupted when the guest must stop before that time is over."""
        if not self._surroundings.watch.pause(seconds):
            raise Interrupted

    def print(self, address: int, length: int) -> None:
        """Put text from memory into the call's stdout, of which only so much is kept."""
        self._locate(address, length)
        kept = min(length & U32, self._surroundings.stdout.limit_bytes)
        self.write_stdout(self.read(address, kept))

    def write_stdout(self, text: bytes) -> None:
        self._surroundings.stdout.append(text)
