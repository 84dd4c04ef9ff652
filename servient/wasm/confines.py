"""What a guest lives in: a store that bounds what it takes, and an end to what takes too long."""

import ctypes
import logging
import math
import time
from dataclasses import dataclass
from typing import Any

import wasmtime

from servient.errors import ServientError
from servient.wasm import capi
from servient.wasm.folder import Folder
from servient.wasm.imports.wasi import Streams, wasi_config
from servient.wasm.output import Output
from servient.wasm.standard_input import stdin_file
from servient.wasm.traps import interruption
from servient.wasm.types import Limits, WasiSettings
from servient.wasm.watch import Ending, Watch

logger = logging.getLogger(__name__)

# Looking through a folder costs more than a tick should: four times a second will do.
FOLDER_CHECK_TICKS = 25
NEVER = math.inf


@dataclass(frozen=True, slots=True)
class Parts:
    """How many core instances, tables and memories a guest may consist of."""

    instances: int
    tables: int
    memories: int


class Confines:
    """One guest's store, what the guest writes, and the watch over it; for one thread.

    The guest leaves with the first tick after `leaves_at_seconds`, as of its thread's clock.
    """

    def __init__(
        self,
        engine: wasmtime.Engine,
        folder: Folder,
        limits: Limits,
        watch: Watch,
        parts: Parts,
        wasi: WasiSettings | None,
        stdin: bytes | None = None,
    ) -> None:
        """Without `wasi`, for a guest that imports nothing, it has no files: it could not open them."""
        self._watch = watch
        self._folder = folder
        self._ticks = 0
        self.leaves_at_seconds = NEVER
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
        self._has_files = wasi is not None
        if wasi is not None:
            with stdin_file(stdin) as stdin_path:
                streams = Streams(stdin_path, self.stdout.path, self.stderr.path)
                self.store.set_wasi(wasi_config(folder.path, streams, wasi))
        self.store.set_epoch_deadline(1)
        # It must live as long as the store, which calls it from its guest's thread.
        self._on_epoch = capi.EpochCallback(self._epoch)
        store_at = ctypes.cast(self.store.ptr(), capi.ADDRESS).value
        on_epoch_at = ctypes.cast(self._on_epoch, capi.ADDRESS).value
        capi.store_epoch_callback(store_at, on_epoch_at, None, None)

    def begin_output(self) -> None:
        """What the guest wrote before belongs to other calls."""
        self.stdout.begin()
        self.stderr.begin()

    def interruption(self, what: str, seconds: float) -> ServientError | None:
        """Why the watch ended `what`, which had so many seconds; None where it did not."""
        return interruption(self._watch, what, seconds)

    def close(self) -> None:
        self.store.close()
        self.stdout.close()
        self.stderr.close()

    def _epoch(self, _context: int, _data: int, delta: Any, kind: Any) -> int:
        """Called on the guest's thread with every tick: 0 lets it go on, an error ends it."""
        try:
            if self._has_files:
                self._restrain()
            if self._watch.ending is None:
                leaves = time.thread_time() > self.leaves_at_seconds
                delta[0], kind[0] = 1, capi.LEAVE if leaves else capi.GO_ON
                return 0
        except Exception:  # a guest that cannot be watched must not go on
            logger.exception("the watch over a guest failed")
        return capi.interrupted()

    def _restrain(self) -> None:
        """Keep what the guest writes within its limits, while it writes."""
        self.stdout.trim()
        self.stderr.trim()
        self._ticks += 1
        if self._ticks % FOLDER_CHECK_TICKS == 0 and self._folder.is_full():
            self._watch.end(Ending.FOLDER_FULL)
