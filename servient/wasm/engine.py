"""The engine: compiles modules, and keeps the clock by which their guests are stopped."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import wasmtime

from servient.errors import ModuleRejected
from servient.wasm.cache import CompileCache
from servient.wasm.compiler import compile_apart
from servient.wasm.configuration import fingerprint, native_engine
from servient.wasm.imports.host_function import Namespace
from servient.wasm.imports.table import ImportTable
from servient.wasm.module import Module
from servient.wasm.ticker import Ticker
from servient.wasm.types import Limits

# Each takes a core for as long as it lasts.
COMPILERS_LIMIT = 2

COMPONENT_PREAMBLE = b"\0asm\x0d\0\1\0"


class Engine:
    """One per process; to be used as an async context manager.

    `cache_path` is a folder for compiled code, so that no module is compiled twice. `namespaces` are
    what modules may import besides WASI.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        cache_path: Path | None = None,
        namespaces: Sequence[Namespace] = (),
    ) -> None:
        self.limits = limits or Limits()
        self.native = native_engine()
        self.ticker = Ticker(self.native.increment_epoch)
        self._imports = ImportTable(self.native, namespaces)
        self._cache = CompileCache(cache_path, fingerprint()) if cache_path else None
        self._compiling = asyncio.Semaphore(COMPILERS_LIMIT)

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

    def offered_imports(self) -> tuple[str, ...]:
        """What modules may import, as `namespace.name`, sorted."""
        return self._imports.names()

    async def compile(self, binary: bytes) -> Module:
        """Compile in a process apart, unless that was done before.

        Raises ModuleRejected, saying what is wrong with the bytes.
        """
        if len(binary) > self.limits.module_bytes:
            raise ModuleRejected(
                f"a module may have {self.limits.module_bytes} bytes, not {len(binary)}"
            )
        if binary.startswith(COMPONENT_PREAMBLE):
            raise ModuleRejected("this is a component; core modules are what runs here")
        digest = hashlib.sha256(binary).hexdigest()
        kept = await asyncio.to_thread(self._load, digest)
        if kept is not None:
            return Module(kept, digest, len(binary), self._imports)
        async with self._compiling:
            code = await compile_apart(binary, self.limits)
        native = await asyncio.to_thread(self._keep, digest, code)
        return Module(native, digest, len(binary), self._imports)

    def _load(self, digest: str) -> wasmtime.Module | None:
        code = self._cache.get(digest) if self._cache else None
        if self._cache is None or code is None:
            return None
        try:
            return wasmtime.Module.deserialize(self.native, code)
        except wasmtime.WasmtimeError:  # made by another engine, whatever its name says
            self._cache.forget(digest)
            return None

    def _keep(self, digest: str, code: bytes) -> wasmtime.Module:
        if self._cache:
            self._cache.put(digest, code)
        return wasmtime.Module.deserialize(self.native, code)
