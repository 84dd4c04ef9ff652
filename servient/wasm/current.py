"""The present copy of a module, and a fresh one after each that failed. Blocking, for one thread."""

import time

from servient.errors import InvalidInput, ServientError, TooLarge
from servient.wasm.engine import Engine
from servient.wasm.folder import Folder
from servient.wasm.guest import Guest
from servient.wasm.guests import Guests
from servient.wasm.module import Module
from servient.wasm.perform import perform
from servient.wasm.types import NO_FILES, NO_SETTINGS, Call, CallResult, Limits, WasiSettings
from servient.wasm.watch import Watch


class Current:
    """`guest` is None until `ready`, and after a failure; `generation` counts the failures.

    `prelude` is the call that a copy begins with which takes the place of another; `is_replacement`
    says that already the first one does.
    """

    def __init__(
        self,
        engine: Engine,
        module: Module,
        folder: Folder,
        limits: Limits,
        watch: Watch,
        wasi: WasiSettings = NO_SETTINGS,
        prelude: Call | None = None,
        is_replacement: bool = False,
    ) -> None:
        self._folder = folder
        # A module that imports nothing can touch nothing but its memory.
        self._has_files = bool(module.imports)
        self._prelude = prelude
        self._is_replacement = is_replacement
        self._guests = Guests(engine, module, folder, limits, watch, wasi)
        self.guest: Guest | None = None
        self.generation = 0

    def ready(self) -> Guest:
        """The present copy, or a fresh one. Raises ServientError when its start fails."""
        if self.guest is None:
            self._folder.restore()
            self.guest = self._start()
            self._is_replacement = True
        return self.guest

    def _start(self) -> Guest:
        guest = self._guests.start()
        if self._prelude is not None and self._is_replacement:
            try:
                perform(guest, self._folder, self._prelude)
            except BaseException:
                guest.close()
                raise
        return guest

    def call(self, call: Call) -> CallResult:
        """A whole call in the present copy, which a failure costs; a program runs in its own.

        Its time is by the thread's own clock: what others take says nothing about the function.
        """
        if call.command_line is not None:
            return self._run(call)
        guest = self.ready()
        began = time.thread_time()
        try:
            if call.is_plain and not self._has_files:
                values, _ = guest.call(call.function, call.arguments, call.deadline_seconds)
                return CallResult(values, NO_FILES, b"", b"", time.thread_time() - began)
            result = perform(guest, self._folder, call)
            return result._replace(seconds=time.thread_time() - began)
        except ServientError as error:
            if is_fatal(error):
                self.retire()
            raise

    def _run(self, call: Call) -> CallResult:
        guest = self._guests.start(call.command_line)
        try:
            return perform(guest, self._folder, call)
        finally:
            guest.close()

    def retire(self) -> None:
        """The copy failed: it is not to be trusted any more."""
        self.drop()
        self.generation += 1

    def drop(self) -> None:
        """Free the copy."""
        if self.guest is not None:
            self.guest.close()
            self.guest = None


def is_fatal(error: ServientError) -> bool:
    """Whether a call's error costs the copy: else the guest was not entered, or it has returned."""
    return not isinstance(error, InvalidInput | TooLarge)
