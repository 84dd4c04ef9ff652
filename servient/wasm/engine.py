"""The engine: compiles modules, and keeps the clock by which their guests are stopped."""

import asyncio
from types import TracebackType
from typing import Self

import wasmtime

from servient.errors import ModuleRejected
from servient.wasm.module import Module
from servient.wasm.ticker import Ticker
from servient.wasm.types import Limits

COMPONENT_PREAMBLE = b"\0asm\x0d\0\1\0"


class Engine:
    """One per process; to be used as an async context manager.

    Only this fixed configuration is ever used: an unsupported one aborts the process.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        config = wasmtime.Config()
        config.epoch_interruption = True
        self.limits = limits or Limits()
        self.native = wasmtime.Engine(config)
        self.ticker = Ticker(self.native.increment_epoch)
        self._compiling = asyncio.Semaphore(1)

    async def __aenter__(self) -> Self:
        self.ticker.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.ticker.close)

    async def compile(self, binary: bytes) -> Module:
        """Compile off the event loop. Raises ModuleRejected, saying what is wrong with the bytes."""
        if len(binary) > self.limits.module_bytes:
            raise ModuleRejected(
                f"a module may have {self.limits.module_bytes} bytes, not {len(binary)}"
            )
        if binary.startswith(COMPONENT_PREAMBLE):
            raise ModuleRejected("this is a component; core modules are what runs here")
        # One at a time: each takes a core for as long as it lasts.
        async with self._compiling:
            return await asyncio.to_thread(self._compile, binary)

    def _compile(self, binary: bytes) -> Module:
        try:
            wasmtime.Module.validate(self.native, binary)
            return Module(wasmtime.Module(self.native, binary), binary)
        except wasmtime.WasmtimeError as error:
            reason = " ".join(str(error).split())
            raise ModuleRejected(f"not a WebAssembly module: {reason[:200]}") from error
