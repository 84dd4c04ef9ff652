"""What a guest lives in: a store that bounds what it takes, and an end to what takes too long."""

import ctypes
import logging
from collections.abc import Callable
from dataclasses import dataclass

import wasmtime
from wasmtime import _ffi as ffi

from servient.errors import ActionFailed, DeadlineExceeded, ServientError
from servient.wasm.folder import Folder
from servient.wasm.imports.wasi import wasi_config
from servient.wasm.output import Output
from servient.wasm.types import Limits
from servient.wasm.watch import Ending, Watch

logger = logging.getLogger(__name__)

_OnEpoch = ctypes.CFUNCTYPE(
    ctypes.c_size_t,
    ctypes.POINTER(ffi.wasmtime_context_t),
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_uint64),
    ctypes.POINTER(ffi.wasmtime_update_deadline_kind_t),
)
_Finalize = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
# The kinds of `wasmtime_update_deadline_kind_t` (wasmtime/store.h).
_CONTINUE, _YIELD = 0, 1

# Looking through a folder costs more than a tick should: four times a second will do.
FOLDER_CHECK_TICKS = 25


@dataclass(frozen=True, slots=True)
class Parts:
    """How many core instances, tables and memories a guest may consist of."""

    instances: int
    tables: int
    memories: int


class Confines:
    """One guest's store, what the guest writes, and the watch over it; for one thread.

    While `may_leave` is set, the guest leaves with each tick where it otherwise goes on.
    """

    def __init__(
        self, engine: wasmtime.Engine, folder: Folder, limits: Limits, watch: Watch, parts: Parts
    ) -> None:
        self._watch = watch
        self._folder = folder
        self._ticks = 0
        self.may_leave = False
        self.stdout = Output("stdout", limits.stdout_bytes)
        self.stderr = Output("stderr", limits.stdout_bytes)
        self.store = wasmtime.Store(engine)
        self.store.set_limits(
            memory_size=limits.memory_bytes,
            table_elements=limits.table_elements,
            instances=parts.instances,
            tables=parts.tables,
            memories=parts.memories,
        )
        self.store.set_wasi(wasi_config(folder.path, self.stdout.path, self.stderr.path))
        self.store.set_epoch_deadline(1)
        # Both must live as long as the store, which calls them from its guest's thread.
        self._on_epoch = _OnEpoch(self._epoch)
        self._finalize = _Finalize(lambda _: None)
        ffi.wasmtime_store_epoch_deadline_callback(
            self.store.ptr(), self._on_epoch, None, self._finalize
        )

    def begin_output(self) -> None:
        """What the guest wrote before belongs to other calls."""
        self.stdout.begin()
        self.stderr.begin()

    def interruption(self, what: str, seconds: float) -> ServientError | None:
        """Why the watch ended `what`, which had so many seconds; None where it did not."""
        match self._watch.interrupted:
            case Ending.DEADLINE:
                return DeadlineExceeded(f"{what} did not end within {seconds:g} s")
            case Ending.FOLDER_FULL:
                return ActionFailed(f"{what} was ended: it filled its folder")
            case Ending.CLOSED:
                return ActionFailed(f"{what} was ended: its deployment was removed")
        return None

    def close(self) -> None:
        self.store.close()
        self.stdout.close()
        self.stderr.close()

    def _epoch(
        self, _context: object, _data: object, delta: Callable[..., int], kind: object
    ) -> int:
        """Called on the guest's thread with every tick: 0 lets it go on, an error ends it."""
        try:
            self._restrain()
            if self._watch.ending is None:
                delta[0] = 1  # type: ignore[index] # a C pointer
                kind[0] = _YIELD if self.may_leave else _CONTINUE  # type: ignore[index] # likewise
                return 0
        except Exception:  # a guest that cannot be watched must not go on
            logger.exception("the watch over a guest failed")
        pointer = ffi.wasmtime_error_new(ctypes.create_string_buffer(b"interrupted"))
        return ctypes.cast(pointer, ctypes.c_void_p).value or 0

    def _restrain(self) -> None:
        """Keep what the guest writes within its limits, while it writes."""
        self.stdout.trim()
        self.stderr.trim()
        self._ticks += 1
        if self._ticks % FOLDER_CHECK_TICKS == 0 and self._folder.is_full():
            self._watch.end(Ending.FOLDER_FULL)
