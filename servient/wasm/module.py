"""A compiled module: what it exports and what it wants of its host."""

import wasmtime

from servient.errors import ModuleRejected
from servient.wasm.imports.wasi import WASI, WASI_FUNCTIONS
from servient.wasm.types import Signature, ValueType

NUMERIC = {str(each) for each in ValueType}


class Module:
    """Compiled code; `signatures` has the exported functions whose types are all numeric.

    `digest` is the SHA-256 of the source. Raises ModuleRejected when it imports what this host does
    not offer.
    """

    def __init__(self, native: wasmtime.Module, digest: str, size_bytes: int) -> None:
        self.native = native
        self.digest = digest
        self.size_bytes = size_bytes
        self.imports = tuple(f"{each.module}.{each.name}" for each in native.imports)
        foreign = [name for name in self.imports if not _is_offered(name)]
        if foreign:
            raise ModuleRejected(f"imports that are not offered here: {', '.join(foreign)[:300]}")
        self.signatures = {
            export.name: signature
            for export in native.exports
            if isinstance(export.type, wasmtime.FuncType) and (signature := _signature(export.type))
        }
        self.is_reactor = self.signatures.get("_initialize") == Signature((), ())


def _is_offered(name: str) -> bool:
    namespace, _, function = name.partition(".")
    return namespace == WASI and function in WASI_FUNCTIONS


def _signature(function: wasmtime.FuncType) -> Signature | None:
    types = [[str(each) for each in side] for side in (function.params, function.results)]
    if not NUMERIC.issuperset(types[0] + types[1]):
        return None
    return Signature(*(tuple(map(ValueType, side)) for side in types))
