"""Isolated instances, of modules in text form."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from servient.wasm.engine import Engine
from servient.wasm.imports.standard import ImportSettings, build_namespaces
from servient.wasm.isolated.child import PROGRAM
from servient.wasm.isolated.instance import IsolatedInstance
from servient.wasm.isolated.setup import Isolation
from servient.wasm.types import Call, CallResult
from tests.wasm.conftest import LIMITS

Isolate = Callable[..., contextlib.AbstractAsyncContextManager[IsolatedInstance]]

COUNTER = """
(module (global $n (mut i32) (i32.const 0))
  (func (export "increment") (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
  (func (export "pair") (param i32 f64) (result f64 i32) local.get 1 local.get 0)
  (func (export "forever") (loop br 0)))
"""


@pytest.fixture
def isolate(tmp_path: Path) -> Isolate:
    """A running instance in a process of its own; `program` is what runs there."""
    folders = iter(range(1000))

    @contextlib.asynccontextmanager
    async def run(
        text: str = COUNTER,
        program: Sequence[str] = PROGRAM,
        settings: ImportSettings | None = None,
        is_stateless: bool = False,
    ) -> AsyncIterator[IsolatedInstance]:
        folder = tmp_path / f"module-{next(folders)}"
        folder.mkdir()
        settings = settings or ImportSettings()
        async with Engine(LIMITS, namespaces=build_namespaces(settings)) as engine:
            module = await engine.compile(bytes(wasmtime.wat2wasm(text)))
            isolation = Isolation(settings, is_stateless)
            async with IsolatedInstance(module, folder, LIMITS, isolation, program) as instance:
                yield instance

    return run


async def call(
    instance: IsolatedInstance, function: str, *arguments: Any, **more: Any
) -> CallResult:
    return await instance.call(Call(function, arguments, **{"deadline_seconds": 10.0, **more}))
