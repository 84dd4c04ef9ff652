"""An engine, and instances of modules written down as text."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Literal, cast, get_args

import pytest
import wasmtime

from servient.wasm.engine import Engine
from servient.wasm.instance import Instance
from servient.wasm.isolated.instance import IsolatedInstance
from servient.wasm.threads import Threads
from servient.wasm.types import Call, CallResult, Limits

MIB = 2**20
LIMITS = Limits(
    memory_bytes=64 * MIB,
    folder_bytes=8 * MIB,
    output_bytes=1 * MIB,
    stdout_bytes=4096,
    start_seconds=1.0,
    queue_length=4,
)

# Where a module runs: in this process, or in one of its own.
Kind = Literal["here", "isolated"]
KINDS = get_args(Kind)
MakeInstance = Callable[..., contextlib.AbstractAsyncContextManager[Instance]]


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    async with Engine(LIMITS) as running:
        yield running


@pytest.fixture
def kind() -> Kind:
    """A file of tests that hold for both kinds has a fixture of this name with both as its params."""
    return "here"


@pytest.fixture
def running(engine: Engine, tmp_path: Path, kind: Kind) -> MakeInstance:
    """An instance of a module in text form, in a folder of its own."""
    folders = iter(range(1000))

    @contextlib.asynccontextmanager
    async def run(text: str) -> AsyncIterator[Instance]:
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        module = await engine.compile(bytes(wasmtime.wat2wasm(text)))
        if kind == "here":
            async with Instance(engine, module, folder, LIMITS) as instance:
                yield instance
        else:
            async with IsolatedInstance(module, folder, LIMITS) as isolated:
                yield cast(Instance, isolated)  # tests look into Instances only

    return run


async def call(instance: Instance, function: str, *arguments: Any, **more: Any) -> CallResult:
    return await instance.call(Call(function, arguments, **{"deadline_seconds": 5.0, **more}))


async def resting(threads: Threads) -> None:
    """Until none is at work; what is closed has ended its work before."""
    async with asyncio.timeout(10):
        while threads.busy:
            await asyncio.sleep(0.001)
