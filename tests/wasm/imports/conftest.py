"""Instances of modules that import from given namespaces."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import wasmtime

from servient.wasm.engine import Engine
from servient.wasm.imports.host_function import Namespace
from servient.wasm.instance import Instance
from tests.wasm.conftest import LIMITS

Run = Callable[..., contextlib.AbstractAsyncContextManager[Instance]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A running instance of a module in text form, which may import from the namespaces."""
    folders = iter(range(1000))

    @contextlib.asynccontextmanager
    async def start(text: str, *namespaces: Namespace) -> AsyncIterator[Instance]:
        folder = tmp_path / f"module-{next(folders)}"
        folder.mkdir()
        async with Engine(LIMITS, namespaces=namespaces) as engine:
            module = await engine.compile(bytes(wasmtime.wat2wasm(text)))
            async with Instance(engine, module, folder, LIMITS) as instance:
                yield instance

    return start
