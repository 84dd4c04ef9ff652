"""Bytes that a guest is called with, in memory that it gave for them."""

import contextlib
import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import wasmtime

from servient.errors import ActionFailed, ModuleTrapped, TooLarge
from servient.wasm.entry import Entry
from servient.wasm.memory import ALLOC, ALLOC_SIGNATURE, NO_ALLOC, U32, locate
from servient.wasm.traps import to_error
from servient.wasm.types import Buffer, Signature, ValueType
from servient.wasm.watch import Watch

# What gives memory back, where there is such an export: address and length, or the address only.
FREE = ("dealloc", "free")
FREE_SIGNATURES = (
    Signature((ValueType.I32, ValueType.I32), ()),
    Signature((ValueType.I32,), ()),
)


@dataclass(frozen=True, slots=True)
class _Room:
    """A piece of the guest's memory."""

    address: int
    size: int

    def overlaps(self, other: "_Room") -> bool:
        return (
            self.address < other.address + other.size and other.address < self.address + self.size
        )


class _Freed(Exception):
    """The guest gave memory that it gave before: it has freed what it was called with."""


class Uploads:
    """Puts buffers into one guest's memory; `place` before a call and `release` after it.

    Memory comes from the guest's `alloc(i32) → i32`. Whose it is after a call differs: most modules
    leave it to the host, which keeps what is to be kept, gives the rest back where the module exports
    how, and else uses it again. Others own what they are called with and free it, as Rust's
    `Vec::from_raw_parts` makes them: they get everything anew for each call. Only their allocator
    tells: asked again for as much as it gave, it gives the same memory if that was freed.
    """

    def __init__(
        self,
        store: wasmtime.Store,
        memory: object,
        entries: Mapping[str, Entry],
        signatures: Mapping[str, Signature],
        watch: Watch,
    ) -> None:
        self._store = store
        self._memory = memory
        self._entries = entries
        self._watch = watch
        self._has_alloc = signatures.get(ALLOC) == ALLOC_SIGNATURE
        self._free = next((name for name in FREE if signatures.get(name) in FREE_SIGNATURES), None)
        self._free_arity = len(signatures[self._free].parameters) if self._free else 0
        # Whether the guest owns what it gets; None while nobody knows.
        self._is_owner: bool | None = False if self._free else None
        self._was_called = False
        self._kept: dict[bytes, _Room] = {}
        self._spare: list[_Room] = []
        self._placed: list[_Room] = []  # for the present call only

    def place(self, buffers: Sequence[Buffer]) -> tuple[int, ...]:
        """Address and length of each buffer, in a row.

        Raises TooLarge when there is no memory for them, ActionFailed, and whatever ends the guest.
        """
        if not self._has_alloc:
            raise ActionFailed(NO_ALLOC)
        try:
            try:
                if self._is_owner is None and self._was_called:
                    self._find_owner()
                return self._place(buffers)
            except _Freed:
                return self._place(buffers)
        except TooLarge:
            self._give_back()  # even an owner never got them
            raise

    def release(self) -> None:
        """The call is over."""
        self._was_called = True
        if self._is_owner:
            self._placed.clear()
        else:
            self._give_back()

    def _give_back(self) -> None:
        placed, self._placed = self._placed, []
        if self._free is None or self._is_owner:
            self._spare += placed
            return
        for room in reversed(placed):
            self._enter(self._free, *(room.address, room.size)[: self._free_arity])

    def _find_owner(self) -> None:
        """Ask for as much as the guest gave for the last call, and see whether it is the same."""
        rooms = (*self._kept.values(), *self._spare)
        earlier = max(rooms, key=lambda room: room.size)
        if not earlier.size:
            return  # of nothing there is nothing to be seen
        with contextlib.suppress(TooLarge):  # had it been freed, there would be room
            self._spare.append(self._allocate(earlier.size))
        self._is_owner = False

    def _place(self, buffers: Sequence[Buffer]) -> tuple[int, ...]:
        self._placed.clear()
        rooms = [self._put(buffer) for buffer in buffers]
        return tuple(
            number
            for room, buffer in zip(rooms, buffers, strict=True)
            for number in (room.address, len(buffer.body))
        )

    def _put(self, buffer: Buffer) -> _Room:
        is_kept = buffer.is_kept and not self._is_owner
        if is_kept and (kept := self._kept.get(buffer.body)):
            return kept
        size = len(buffer.body)
        room = self._allocate(size) if is_kept else self._take(size)
        at = locate(self._memory, self._store, room.address, size)
        ctypes.memmove(at, buffer.body, size)
        if is_kept:
            self._kept[buffer.body] = room
        else:
            self._placed.append(room)
        return room

    def _take(self, size: int) -> _Room:
        """Room for one call: some that is free, else more, so that growing sizes leave little."""
        fitting = [room for room in self._spare if self._fits(room, size)]
        if fitting:
            room = min(fitting, key=lambda room: room.size)
            self._spare.remove(room)
            return room
        largest = max((room.size for room in self._spare), default=0)
        if not self._is_owner and 2 * largest > size:
            with contextlib.suppress(TooLarge):
                return self._allocate(2 * largest)
        return self._allocate(size)

    def _fits(self, room: _Room, size: int) -> bool:
        if any(map(room.overlaps, self._placed)):
            return False
        # An owner may free by the size, which must then be the one that was asked for.
        return room.size == size if self._is_owner else room.size >= size

    def _allocate(self, size: int) -> _Room:
        address = self._enter(ALLOC, size)[0] & U32
        if not address and size:
            raise TooLarge(f"the module's `alloc` gave no memory for {size} bytes")
        try:
            locate(self._memory, self._store, address, size)
        except ModuleTrapped as error:
            raise ModuleTrapped(f"the module's `alloc` gave no memory: {error.detail}") from error
        room = _Room(address, size)
        if any(map(room.overlaps, self._placed)):
            raise ActionFailed("the module's `alloc` gave the same memory twice for one call")
        if not self._is_owner and any(map(room.overlaps, (*self._kept.values(), *self._spare))):
            self._is_owner = True
            self._kept.clear()
            self._spare = [room]
            raise _Freed
        return room

    def _enter(self, name: str, *arguments: int) -> tuple[int, ...]:
        try:
            return self._entries[name].call(arguments)  # type: ignore[return-value] # i32 only
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            if self._watch.interrupted:
                raise  # whoever set the deadline tells
            raise to_error(f"the module's `{name}`", error) from error
