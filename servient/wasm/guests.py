"""Makes the running copies of one module."""

from dataclasses import dataclass, replace

from servient.wasm.engine import Engine
from servient.wasm.folder import Folder
from servient.wasm.guest import Guest
from servient.wasm.module import Module
from servient.wasm.types import CommandLine, Limits, WasiSettings
from servient.wasm.watch import Watch


@dataclass(frozen=True, slots=True)
class Guests:
    """What all copies have in common. Blocking, for one thread."""

    engine: Engine
    module: Module
    folder: Folder
    limits: Limits
    watch: Watch
    wasi: WasiSettings

    def start(self, line: CommandLine | None = None) -> Guest:
        """A fresh copy, for one run if there is a command line. Raises ServientError."""
        guest = self._make(line)
        try:
            guest.start(self.limits.start_seconds)
        except BaseException:
            guest.close()
            raise
        return guest

    def _make(self, line: CommandLine | None) -> Guest:
        wasi, limits, stdin = self.wasi, self.limits, None
        if line is not None:
            wasi = replace(wasi, arguments=(*wasi.arguments, *line.arguments))
            limits = replace(limits, stdout_bytes=limits.program_output_bytes)
            stdin = line.stdin
        return Guest(self.engine, self.module, self.folder, limits, self.watch, wasi, stdin)
