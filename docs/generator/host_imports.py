"""What modules may import, by name and type."""

from collections.abc import Iterable

import wasmtime

from docs.generator.markdown import code, page, table
from servient.wasm.imports.standard import ImportSettings, build_namespaces
from servient.wasm.imports.wasi import WASI, wasi_signatures
from servient.wasm.types import Signature

INTRODUCTION = """\
What they do, and which settings they want, is in
[servient/wasm/imports/README.md](../../servient/wasm/imports/README.md);
[how to write another one](../write-a-host-import.md) is a page of its own."""


def host_imports() -> str:
    namespaces = build_namespaces(ImportSettings())
    own = (
        (code(f"{each.name}.{name}"), code(_written(function.signature)))
        for each in namespaces
        for name, function in each.functions().items()
    )
    wasi = (
        (code(f"{WASI}.{name}"), code(_written(signature)))
        for name, signature in sorted(wasi_signatures(wasmtime.Engine()).items())
    )
    head = ("import", "type")
    return page(
        "Host imports",
        INTRODUCTION,
        f"## Of this host\n\n{table(head, own)}",
        f"## Of WASI preview 1\n\n{table(head, wasi)}",
    )


def _written(signature: Signature) -> str:
    return f"({_list(signature.parameters)}) → {_list(signature.results) or '()'}"


def _list(types: Iterable[object]) -> str:
    return ", ".join(str(each) for each in types)
