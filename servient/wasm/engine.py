"""The engine: compiles modules, and keeps the clock by which their guests are stopped."""

import asyncio
import hashlib
import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeAlias, TypeVar

import wasmtime
from wasmtime import component

from servient.errors import ModuleRejected
from servient.wasm.cache import CompileCache
from servient.wasm.compiler import compile_apart
from servient.wasm.components.component import Component
from servient.wasm.configuration import (
    COMPONENT_PREAMBLE,
    POOL_SLOTS,
    fingerprint,
    native_engine,
    pooling_engine,
)
from servient.wasm.imports.host_function import Namespace
from servient.wasm.imports.table import ImportTable
from servient.wasm.module import Module
from servient.wasm.threads import Threads
from servient.wasm.ticker import Ticker
from servient.wasm.types import Limits

# Each takes a core for as long as it lasts.
COMPILERS_LIMIT = 2

# The compiled code of a module or of a component, as the engine holds it.
_N = TypeVar("_N")
Deserialize: TypeAlias = Callable[[wasmtime.Engine, bytes], _N]


@dataclass(frozen=True, slots=True)
class _Compiled(Generic[_N]):
    """Code that is ready to be instantiated, and the SHA-256 of its source."""

    native: _N
    digest: str


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
        self.ticker = Ticker(self._tick)
        self.threads = Threads()
        self._pool: wasmtime.Engine | None = None
        self._making_pool = threading.Lock()
        # Of the semaphores there are this is the one that costs next to nothing.
        self.pool_slots: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(POOL_SLOTS):
            self.pool_slots.put(None)
        self._imports = ImportTable(self.native, namespaces)
        self._cache = CompileCache(cache_path, fingerprint()) if cache_path else None
        self._compiling = asyncio.Semaphore(COMPILERS_LIMIT)
        # What became of modules and components: how often they were "cached", "compiled", "rejected".
        self.compilations: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self.ticker.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.threads.close()
        await asyncio.to_thread(self.ticker.close)

    def pool(self) -> wasmtime.Engine:
        """An engine whose instances come from a pool, for those that live for one call only.

        Made when it is first wanted: the pool reserves some hundred GiB of addresses. Who uses an
        instance of it takes one of the `pool_slots` and puts it back.
        """
        with self._making_pool:
            if self._pool is None:
                self._pool = pooling_engine(self.limits)
            return self._pool

    def _tick(self) -> None:
        self.native.increment_epoch()
        if self._pool is not None:
            self._pool.increment_epoch()

    def offered_imports(self) -> tuple[str, ...]:
        """What modules may import, as `namespace.name`, sorted."""
        return self._imports.names()

    async def compile(self, binary: bytes) -> Module:
        """Compile a core module in a process apart, unless that was done before.

        Raises ModuleRejected, saying what is wrong with the bytes.
        """
        if is_component(binary):
            raise ModuleRejected("this is a component, not a core module")
        compiled = await self._compile(binary, wasmtime.Module.deserialize)
        return Module(compiled.native, compiled.digest, len(binary), self._imports)

    def load(self, code: bytes, digest: str, size_bytes: int) -> Module:
        """A core module that `compile` made, from its `native.serialize()`. Run as it is: trusted."""
        native = wasmtime.Module.deserialize(self.native, code)
        return Module(native, digest, size_bytes, self._imports)

    async def compile_component(self, binary: bytes) -> Component:
        """Compile a component in the same way. Raises ModuleRejected."""
        if not is_component(binary):
            raise ModuleRejected("this is not a component")
        compiled = await self._compile(binary, component.Component.deserialize)
        # Reading many types takes its time.
        return await asyncio.to_thread(
            Component, self.native, compiled.native, compiled.digest, len(binary)
        )

    async def _compile(self, binary: bytes, deserialize: Deserialize[_N]) -> _Compiled[_N]:
        if len(binary) > self.limits.module_bytes:
            raise ModuleRejected(
                f"a module may have {self.limits.module_bytes} bytes, not {len(binary)}"
            )
        digest = hashlib.sha256(binary).hexdigest()
        kept = await asyncio.to_thread(self._load, digest, deserialize)
        if kept is not None:
            self.compilations["cached"] += 1
            return _Compiled(kept, digest)
        async with self._compiling:
            code = await self._compile_apart(binary)
        return _Compiled(await asyncio.to_thread(self._keep, digest, code, deserialize), digest)

    async def _compile_apart(self, binary: bytes) -> bytes:
        try:
            code = await compile_apart(binary, self.limits)
        except ModuleRejected:
            self.compilations["rejected"] += 1
            raise
        self.compilations["compiled"] += 1
        return code

    def _load(self, digest: str, deserialize: Deserialize[_N]) -> _N | None:
        code = self._cache.get(digest) if self._cache else None
        if self._cache is None or code is None:
            return None
        try:
            return deserialize(self.native, code)
        except wasmtime.WasmtimeError:  # made by another engine, whatever its name says
            self._cache.forget(digest)
            return None

    def _keep(self, digest: str, code: bytes, deserialize: Deserialize[_N]) -> _N:
        if self._cache:
            self._cache.put(digest, code)
        return deserialize(self.native, code)


def is_component(binary: bytes) -> bool:
    """Whether the bytes are a component's, as their preamble says."""
    return binary.startswith(COMPONENT_PREAMBLE)
