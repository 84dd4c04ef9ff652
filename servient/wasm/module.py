"""A compiled module: what it exports and what it wants of its host."""

import wasmtime

from servient.wasm.imports.table import ImportTable
from servient.wasm.native_types import read_signature
from servient.wasm.types import Signature

# What a WASI program is entered by, https://github.com/WebAssembly/WASI "application ABI".
START = "_start"


class Module:
    """Compiled code; `signatures` has the exported functions whose types are all numeric.

    `digest` is the SHA-256 of the source, `host_functions` has what it imports of `imports`. Raises
    ModuleRejected when it imports what this host does not offer.
    """

    def __init__(
        self, native: wasmtime.Module, digest: str, size_bytes: int, imports: ImportTable
    ) -> None:
        self.native = native
        self.digest = digest
        self.size_bytes = size_bytes
        self.imports = tuple(f"{each.module}.{each.name}" for each in native.imports)
        imports.check(native.imports)
        self.host_functions = {
            name: function
            for each in native.imports
            if (function := imports.function(name := (each.module, each.name or "")))
        }
        self.signatures = {
            export.name: signature
            for export in native.exports
            if isinstance(export.type, wasmtime.FuncType)
            and (signature := read_signature(export.type))
        }
        self.is_reactor = self.signatures.get("_initialize") == Signature((), ())
        self.is_command = not self.is_reactor and self.signatures.get(START) == Signature((), ())

    def native_in(self, engine: wasmtime.Engine) -> wasmtime.Module:
        """The same code for another engine of the same settings."""
        return wasmtime.Module.deserialize(engine, self.native.serialize())
