"""What is offered to modules: listed whole, as the documentation has it, and there when it is imported."""

import re
from pathlib import Path

import pytest
import wasmtime

from servient.wasm.engine import Engine
from servient.wasm.imports import wasi
from servient.wasm.imports.standard import ImportSettings, build_namespaces
from servient.wasm.instance import Instance
from servient.wasm.types import Signature
from tests.wasm.conftest import LIMITS

DOCUMENTATION = Path(wasi.__file__).with_name("README.md")
# Of wasi_snapshot_preview1.witx: what is specified, and not only what somebody thought of.
SPECIFIED = 46


def _import(namespace: str, name: str, signature: Signature) -> str:
    parameters, results = " ".join(signature.parameters), " ".join(signature.results)
    return f'(import "{namespace}" "{name}" (func (param {parameters}) (result {results})))'


def _documented() -> set[str]:
    text = DOCUMENTATION.read_text()
    table, _, listed = text.partition("\nWASI preview 1:")
    first_cells = " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    functions = re.findall(r"`([a-z]\w*)`", listed.partition("\n\n")[0])
    names = re.findall(r"`(\w+\.\w+)`", first_cells)
    return {*names, *(f"{wasi.WASI}.{name}" for name in functions)}


async def test_the_documentation_lists_what_is_offered() -> None:
    async with Engine(LIMITS, namespaces=build_namespaces(ImportSettings())) as engine:
        offered = engine.offered_imports()
    assert set(offered) == _documented()


async def test_a_module_that_imports_everything_starts(tmp_path: Path) -> None:
    namespaces = build_namespaces(ImportSettings())
    async with Engine(LIMITS, namespaces=namespaces) as engine:
        lines = [
            _import(namespace.name, name, function.signature)
            for namespace in namespaces
            for name, function in namespace.functions().items()
        ]
        signatures = wasi.wasi_signatures(engine.native)
        lines += [_import(wasi.WASI, *each) for each in signatures.items()]
        assert len(lines) == len(engine.offered_imports())
        text = f'(module {" ".join(lines)} (memory (export "memory") 1))'
        module = await engine.compile(bytes(wasmtime.wat2wasm(text)))
        assert {*module.imports} == {*engine.offered_imports()}
        async with Instance(engine, module, tmp_path, LIMITS):
            pass


async def test_all_of_wasi_is_served() -> None:
    async with Engine(LIMITS) as engine:
        assert len(engine.offered_imports()) == SPECIFIED


@pytest.mark.parametrize("name", sorted(wasi.WASI_FUNCTIONS))
async def test_each_function_of_wasi_links_alone(engine: Engine, tmp_path: Path, name: str) -> None:
    signature = wasi.wasi_signatures(engine.native)[name]
    given = " ".join(f"({each}.const 0)" for each in signature.parameters)
    head = _import(wasi.WASI, name, signature).replace("(func ", "(func $it ", 1)
    results = f"(result {' '.join(signature.results)})" if signature.results else ""
    linked = f'(module {head} (memory (export "memory") 1) (func (export "f") {results} (call $it {given})))'
    module = await engine.compile(bytes(wasmtime.wat2wasm(linked)))
    async with Instance(engine, module, tmp_path, LIMITS):
        pass
