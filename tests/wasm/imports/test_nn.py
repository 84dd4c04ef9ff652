"""`wasi_ephemeral_nn`: a model from memory or from a file, and nothing that a guest gives is trusted."""

import asyncio
import collections
import contextlib
import gc
import importlib.util
import random
import resource
import struct
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from servient.errors import DeadlineExceeded, ModuleRejected
from servient.wasm.engine import Engine
from servient.wasm.imports.nn import graphs, runtime
from servient.wasm.imports.nn import model as checks
from servient.wasm.imports.nn.errno import Errno, Refused
from servient.wasm.imports.nn.namespace import NeuralNetworks
from servient.wasm.instance import Instance
from tests.wasm.conftest import LIMITS, call
from tests.wasm.imports.onnx_models import (
    ADD,
    ENDLESS,
    FLOAT,
    INT64,
    STRING,
    ZEROS,
    field,
    floats,
    graph,
    model,
    node,
    subgraph,
    value,
    weights,
)

SIGNATURES = {
    "load": 5,
    "load_by_name": 3,
    "init_execution_context": 2,
    "set_input": 3,
    "compute": 1,
    "get_output": 5,
}
# Where things lie in the module's memory; a model is in two parts.
PARTS, OUT, TENSOR, SHAPE, NAME, DATA, RESULT, MODEL = 0, 64, 128, 192, 256, 1024, 8192, 65536
MEMORY_BYTES = 32 * 65536
ONNX, CPU = 1, 0
F32, I64 = 1, 5

Start = Callable[..., contextlib.AbstractAsyncContextManager["Network"]]


def text(data: bytes, name: str = "") -> str:
    """A module that passes all functions on, with a model and a name in its memory."""
    parts = struct.pack("<IIII", MODEL, len(data) // 2, MODEL + len(data) // 2, -(-len(data) // 2))
    lines = [
        f'(import "wasi_ephemeral_nn" "{each}" (func ${each} (param {"i32 " * count})(result i32)))'
        for each, count in SIGNATURES.items()
    ]
    for each, count in SIGNATURES.items():
        given = " ".join(f"(local.get {number})" for number in range(count))
        head = f'(func (export "{each}") (param {"i32 " * count})(result i32)'
        lines.append(f"{head} (call ${each} {given}))")
    for at, content in ((PARTS, parts), (NAME, name.encode()), (MODEL, data)):
        escaped = "".join(f"\\{byte:02x}" for byte in content)
        lines.append(f'(data (i32.const {at}) "{escaped}")')
    return f"""(module {" ".join(lines)} (memory (export "memory") {MEMORY_BYTES // 65536})
      (func (export "poke") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
      (func (export "peek") (param i32) (result i32) (i32.load (local.get 0))))"""


class Network:
    """Calls of such a module."""

    def __init__(self, instance: Instance, model_length: int) -> None:
        self.instance = instance
        self.model_length = model_length

    async def __call__(self, function: str, *arguments: int, **more: Any) -> Any:
        return (await call(self.instance, function, *arguments, **more)).values[0]

    async def poke(self, address: int, data: bytes) -> None:
        for offset in range(0, len(data), 4):
            (number,) = struct.unpack("<I", data[offset : offset + 4].ljust(4, b"\0"))
            await call(self.instance, "poke", address + offset, number)

    async def peek(self, address: int, count: int = 1) -> bytes:
        words = [await self("peek", address + 4 * number) for number in range(count)]
        return struct.pack(f"<{count}i", *words)

    async def load(self) -> Any:
        return await self("load", PARTS, 2, ONNX, CPU, OUT)

    async def begin(self) -> None:
        """Load the model and open a context; both get the handle 0."""
        assert await self.load() == Errno.SUCCESS
        assert await self("init_execution_context", 0, OUT) == Errno.SUCCESS

    async def set_input(self, kind: int, shape: Sequence[int], data: bytes, index: int = 0) -> Any:
        await self.poke(SHAPE, struct.pack(f"<{len(shape)}I", *shape))
        await self.poke(DATA, data)
        await self.poke(TENSOR, struct.pack("<IIIII", SHAPE, len(shape), kind, DATA, len(data)))
        return await self("set_input", 0, index, TENSOR)


@pytest.fixture
def start(tmp_path: Path) -> Start:
    @contextlib.asynccontextmanager
    async def run(data: bytes = ADD, name: str = "") -> AsyncIterator[Network]:
        folder = tmp_path / "module"
        folder.mkdir(exist_ok=True)
        async with Engine(LIMITS, namespaces=[NeuralNetworks()]) as engine:
            module = await engine.compile(bytes(wasmtime.wat2wasm(text(data, name))))
            async with Instance(engine, module, folder, LIMITS) as instance:
                yield Network(instance, len(data))

    return run


async def test_a_model_is_computed(start: Start) -> None:
    async with start() as network:
        await network.begin()
        for numbers in ((10.0, 20.0, 30.0, 40.0), (0.5, 0.0, -3.0, 1e6)):
            assert await network.set_input(F32, [4], struct.pack("<4f", *numbers)) == 0
            assert await network("compute", 0) == Errno.SUCCESS
            assert await network("get_output", 0, 0, RESULT, 100, OUT) == Errno.SUCCESS
            assert struct.unpack("<i", await network.peek(OUT)) == (16,)
            wanted = tuple(each + 1 + at for at, each in enumerate(numbers))
            assert struct.unpack("<4f", await network.peek(RESULT, 4)) == wanted
        assert network.instance.generation == 0


@pytest.mark.parametrize("name", ["add", "add.onnx"])
async def test_a_model_is_found_by_the_name_of_its_file(
    start: Start, tmp_path: Path, name: str
) -> None:
    async with start(name=name) as network:
        (tmp_path / "module" / "add.onnx").write_bytes(ADD)
        assert await network("load_by_name", NAME, len(name), OUT) == Errno.SUCCESS
        assert await network("init_execution_context", 0, OUT) == Errno.SUCCESS
        assert await network.set_input(F32, [4], bytes(16)) == 0
        assert await network("compute", 0) == Errno.SUCCESS


@pytest.mark.parametrize("name", ["", ".", "../add.onnx", "absent", "/etc/passwd", "link", "a\0"])
async def test_no_other_file_is_a_model(start: Start, tmp_path: Path, name: str) -> None:
    (tmp_path / "add.onnx").write_bytes(ADD)
    async with start(name=name) as network:
        (tmp_path / "module" / "link").symlink_to(tmp_path / "add.onnx")
        assert await network("load_by_name", NAME, len(name), OUT) == Errno.NOT_FOUND
        assert await network("load_by_name", NAME, 256, OUT) == Errno.NOT_FOUND
        assert await network("load_by_name", -1, 1, OUT) == Errno.INVALID_ARGUMENT
        (tmp_path / "module" / "absent").write_bytes(bytes(LIMITS.output_bytes + 1))
        if name == "absent":
            assert await network("load_by_name", NAME, 6, OUT) == Errno.TOO_LARGE


async def test_numbers_that_mean_nothing_are_errors(start: Start) -> None:
    async with start() as network:
        wrong: dict[tuple[Any, ...], Errno] = {
            ("load", PARTS, 2, 0, CPU, OUT): Errno.INVALID_ENCODING,
            ("load", PARTS, 2, -1, CPU, OUT): Errno.INVALID_ENCODING,
            ("load", PARTS, 2, ONNX, 1, OUT): Errno.UNSUPPORTED_OPERATION,
            ("load", PARTS, 0, ONNX, CPU, OUT): Errno.INVALID_ENCODING,
            ("load", PARTS, 1, ONNX, CPU, OUT): Errno.INVALID_ENCODING,
            ("load", PARTS, -1, ONNX, CPU, OUT): Errno.TOO_LARGE,
            ("load", -4, 1, ONNX, CPU, OUT): Errno.INVALID_ARGUMENT,
            ("load", MEMORY_BYTES - 8, 2, ONNX, CPU, OUT): Errno.INVALID_ARGUMENT,
            ("load", PARTS, 2, ONNX, CPU, -1): Errno.INVALID_ARGUMENT,
            ("init_execution_context", 7, OUT): Errno.INVALID_ARGUMENT,
            ("init_execution_context", -1, OUT): Errno.INVALID_ARGUMENT,
            ("compute", 0): Errno.INVALID_ARGUMENT,
            ("get_output", 0, 0, RESULT, 100, OUT): Errno.INVALID_ARGUMENT,
            ("set_input", 0, 0, TENSOR): Errno.INVALID_ARGUMENT,
        }
        for (function, *arguments), errno in wrong.items():
            assert await network(function, *arguments) == errno, (function, arguments)
        assert network.instance.generation == 0


@pytest.mark.parametrize(
    ("kind", "shape", "size", "errno"),
    [
        (F32, [4], 12, Errno.INVALID_ARGUMENT),
        (F32, [2**32 - 1] * 16, 16, Errno.INVALID_ARGUMENT),
        (F32, [4] * 17, 16, Errno.TOO_LARGE),
        (I64, [4], 32, Errno.INVALID_ARGUMENT),
        (99, [4], 16, Errno.INVALID_ARGUMENT),
        (F32, [], 16, Errno.INVALID_ARGUMENT),
    ],
)
async def test_tensors_that_are_none(
    start: Start, kind: int, shape: list[int], size: int, errno: Errno
) -> None:
    async with start() as network:
        await network.begin()
        assert await network.set_input(kind, shape, bytes(size)) == errno
        assert await network.set_input(F32, [4], bytes(16), index=1) == Errno.INVALID_ARGUMENT
        for words in ((SHAPE, 1, F32, -1, 16), (-1, 1, F32, DATA, 16), (SHAPE, -1, F32, DATA, -1)):
            await network.poke(TENSOR, struct.pack("<iiiii", *words))
            assert await network("set_input", 0, 0, TENSOR) != Errno.SUCCESS
        assert await network("set_input", 0, 0, -8) == Errno.INVALID_ARGUMENT
        assert await network("compute", 0) == Errno.INVALID_ARGUMENT
        assert network.instance.generation == 0


async def test_a_shape_that_the_model_does_not_take(start: Start) -> None:
    async with start() as network:
        await network.begin()
        assert await network.set_input(F32, [3], bytes(12)) == Errno.SUCCESS
        assert await network("compute", 0) == Errno.RUNTIME_ERROR
        assert await network.set_input(F32, [4], bytes(16)) == Errno.SUCCESS
        assert await network("compute", 0) == Errno.SUCCESS
        assert await network("get_output", 0, 0, RESULT, 15, OUT) == Errno.TOO_LARGE
        assert await network("get_output", 0, 0, -1, 100, OUT) == Errno.INVALID_ARGUMENT
        assert await network("get_output", 0, 1, RESULT, 100, OUT) == Errno.INVALID_ARGUMENT


async def test_numbers_of_types_from_before_there_were_more(start: Start) -> None:
    bytes_to_bytes = graph(
        [node("Identity", ["x"], ["y"])], [value("x", 2, ["n"])], [value("y", 2, ["n"])]
    )
    async with start(model(bytes_to_bytes)) as network:
        await network.begin()
        for kind in (2, 3):
            assert await network.set_input(kind, [3], b"abc") == Errno.SUCCESS
        assert await network.set_input(2, [1], bytes(8)) == Errno.INVALID_ARGUMENT


async def test_a_model_that_does_not_end_ends_with_the_deadline(start: Start) -> None:
    async with start(ENDLESS) as network:
        for _ in range(3):
            await network.begin()
            await network.set_input(F32, [1], struct.pack("<f", 1.0))
            with pytest.raises(DeadlineExceeded):
                await network("compute", 0, deadline_seconds=0.3)
        for _ in range(100):
            if not _computing():
                break
            await asyncio.sleep(0.05)
        assert not _computing()


def _computing() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "neural-network"]


@pytest.mark.parametrize("count", [2**28, 2**50])
async def test_results_have_their_share_of_memory_and_no_more(start: Start, count: int) -> None:
    async with start(ZEROS) as network:
        await network.begin()
        assert await network.set_input(I64, [1], struct.pack("<q", count)) == 0
        assert await network("compute", 0) == Errno.RUNTIME_ERROR
        assert await network.set_input(I64, [1], struct.pack("<q", 1000)) == 0
        assert await network("compute", 0) == Errno.SUCCESS


async def test_there_is_an_end_to_models_and_contexts(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "TENSORS_LIMIT_BYTES", 40)
    async with start() as network:
        monkeypatch.setattr(graphs, "MODELS_LIMIT_BYTES", len(ADD) - 1)
        assert await network.load() == Errno.TOO_LARGE
        monkeypatch.setattr(graphs, "MODELS_LIMIT_BYTES", len(ADD) * 100)
        for _ in range(graphs.GRAPHS_LIMIT):
            assert await network.load() == Errno.SUCCESS
        assert await network.load() == Errno.BUSY
        for _ in range(graphs.CONTEXTS_LIMIT):
            assert await network("init_execution_context", 0, OUT) == Errno.SUCCESS
        assert await network("init_execution_context", 0, OUT) == Errno.BUSY
        assert await network.set_input(F32, [4], bytes(16)) == Errno.SUCCESS
        assert await network("compute", 0) == Errno.SUCCESS
        await network.poke(TENSOR, struct.pack("<IIIII", SHAPE, 1, F32, DATA, 16))
        for context in range(1, graphs.CONTEXTS_LIMIT):
            assert await network("set_input", context, 0, TENSOR) == Errno.TOO_LARGE
        assert await network("compute", 0) == Errno.SUCCESS
        monkeypatch.setattr(graphs, "TENSORS_LIMIT_BYTES", 31)
        assert await network("compute", 0) == Errno.TOO_LARGE
        assert await network("get_output", 0, 0, RESULT, 16, OUT) == Errno.INVALID_ARGUMENT


OUTSIDE = field(8, "w") + field(2, FLOAT) + field(1, 4)
NAMED_FILE = field(1, "location") + field(2, "secret")


def nested(depth: int) -> bytes:
    inner = graph([], [], [])
    for _ in range(depth):
        inner = graph([node("If", ["c"], ["y"], subgraph("then_branch", inner))], [], [])
    return inner


@pytest.mark.parametrize(
    ("data", "errno"),
    [
        (b"", Errno.INVALID_ENCODING),
        (b"garbage that is no model", Errno.INVALID_ENCODING),
        (ADD[:-9], Errno.INVALID_ENCODING),
        (b"\x8a\x00" + ADD, Errno.INVALID_ENCODING),
        (b"ORTM" * 20, Errno.INVALID_ENCODING),
        (model(graph([], [], [], [OUTSIDE + field(13, NAMED_FILE)])), 6),
        (model(graph([], [], [], [OUTSIDE + field(14, 1)])), 6),
        (model(graph([], [], [], [weights("w", STRING, [1], b"")])), 6),
        (model(graph([], [], []) + field(15, field(3, 2**40))), 6),
        (model(graph([], [], []), field(25, field(1, "f"))), 6),
        (model(graph([], [], []), field(20, b"")), 6),
        (model(graph([node("StringConcat", ["x", "x"], ["y"])], [], [])), 6),
        (model(nested(40)), Errno.TOO_LARGE),
        (model(graph([b""] * 200_001, [], [])), Errno.TOO_LARGE),
        (model(graph([node("Nonsense", ["x"], ["y"])], [], [])), Errno.INVALID_ENCODING),
    ],
)
async def test_models_that_may_not_be_loaded(start: Start, data: bytes, errno: int) -> None:
    async with start(data) as network:
        assert await network.load() == errno
        assert network.instance.generation == 0


async def test_a_file_beside_the_servient_is_no_weights(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_bytes(b"secret__secret__")
    inside = OUTSIDE + field(13, NAMED_FILE) + field(14, 1)
    add = graph(
        [node("Add", ["x", "w"], ["y"])],
        [value("x", FLOAT, [4])],
        [value("y", FLOAT, [4])],
        [inside],
    )
    async with start(model(add)) as network:
        assert await network.load() == Errno.UNSUPPORTED_OPERATION
        attribute = field(1, "value") + field(5, inside) + field(20, 4)
        constant = graph([node("Constant", [], ["y"], attribute)], [], [value("y", FLOAT, [4])])
    async with start(model(constant)) as network:
        assert await network.load() == Errno.UNSUPPORTED_OPERATION


async def test_models_end_with_their_copy_of_the_module(start: Start) -> None:
    sessions = _sessions()
    async with start() as network:
        for _ in range(3):
            await network.begin()
            with contextlib.suppress(DeadlineExceeded):
                await network("compute", 0, deadline_seconds=0.0)
    gc.collect()
    assert _sessions() == sessions


def _sessions() -> int:
    gc.collect()
    return sum(isinstance(each, runtime.Session) for each in gc.get_objects())


async def test_several_compute_at_once(start: Start) -> None:
    async def compute(network: Network) -> None:
        await network.begin()
        for number in range(20):
            await network.set_input(F32, [4], struct.pack("<4f", number, 0, 0, 0))
            assert await network("compute", 0) == Errno.SUCCESS
            assert await network("get_output", 0, 0, RESULT, 16, OUT) == Errno.SUCCESS
            assert struct.unpack("<f", await network.peek(RESULT)) == (number + 1,)

    async with start() as first, start() as second, start() as third:
        await asyncio.gather(*map(compute, (first, second, third)))


async def test_without_the_runtime_a_module_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    async with Engine(LIMITS, namespaces=[NeuralNetworks()]) as engine:
        assert not [each for each in engine.offered_imports() if "nn" in each.partition(".")[0]]
        with pytest.raises(ModuleRejected) as refused:
            await engine.compile(bytes(wasmtime.wat2wasm(text(ADD))))
    assert refused.value.detail == (
        "neural networks want a package that is not installed here: pip install wasm-servient[nn]"
    )


def test_weights_of_all_sizes_are_written_as_the_format_wants() -> None:
    assert floats("w", 1.0) == b"\x08\x01\x10\x01\x42\x01w\x4a\x04\x00\x00\x80\x3f"


def test_there_is_an_end_to_the_fields_of_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "FIELDS_LIMIT", 10)
    with pytest.raises(Refused, match="too many parts"):
        checks.check_model(model(field(99, 0) * 11))


def test_models_at_random_are_refused_or_loaded(capfd: pytest.CaptureFixture[str]) -> None:
    dice, networks = random.Random(20), runtime.Runtime()
    outcomes = collections.Counter[bool]()
    for _ in range(300):
        data = bytearray(dice.choice((ADD, ZEROS, ENDLESS)))
        for _ in range(dice.choice((0, 1, 1, 2, 4))):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            networks.load(bytes(data))
            outcomes[True] += 1
        except Refused as refused:
            assert refused.errno != Errno.SUCCESS
            outcomes[False] += 1
    assert min(outcomes.values()) > 30, outcomes
    assert capfd.readouterr() == ("", "")


FOLDED = graph(
    [
        node("ConstantOfShape", ["size"], ["z"]),
        node("ReduceSum", ["z"], ["sum"]),
        node("Add", ["sum", "x"], ["y"]),
    ],
    [value("x", FLOAT, [1])],
    [value("y", FLOAT, [1])],
    [weights("size", INT64, [1], struct.pack("<q", 2**28))],
)


@pytest.mark.parametrize("more", [b"", field(11, field(1, b"\xff"))])
def test_loading_computes_nothing(more: bytes) -> None:
    before = _peak_kib()
    with contextlib.suppress(Refused):
        runtime.Runtime().load(model(FOLDED + more))
    assert _peak_kib() - before < 2**19


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
