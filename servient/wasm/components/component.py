"""A compiled component: what it exports and what it wants of its host."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import wasmtime
from wasmtime import component as native
from wasmtime.component._types import ComponentExtern

from converters.component_types import FunctionType
from servient.errors import ModuleRejected
from servient.wasm.components.types import TypeReader
from servient.wasm.one_line import one_line

DETAIL_CHARACTERS = 300
NAME_CHARACTERS = 100

# The interfaces of WASI 0.2 that the engine offers; of their sockets, none may be opened.
WASI_VERSION = "0.2."
WASI_INTERFACES = frozenset(
    {
        "wasi:cli/environment",
        "wasi:cli/exit",
        "wasi:cli/stderr",
        "wasi:cli/stdin",
        "wasi:cli/stdout",
        "wasi:cli/terminal-input",
        "wasi:cli/terminal-output",
        "wasi:cli/terminal-stderr",
        "wasi:cli/terminal-stdin",
        "wasi:cli/terminal-stdout",
        "wasi:clocks/monotonic-clock",
        "wasi:clocks/wall-clock",
        "wasi:filesystem/preopens",
        "wasi:filesystem/types",
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:random/insecure",
        "wasi:random/insecure-seed",
        "wasi:random/random",
        "wasi:sockets/instance-network",
        "wasi:sockets/ip-name-lookup",
        "wasi:sockets/network",
        "wasi:sockets/tcp",
        "wasi:sockets/tcp-create-socket",
        "wasi:sockets/udp",
        "wasi:sockets/udp-create-socket",
    }
)


@dataclass(frozen=True, slots=True)
class Export:
    """A function, alone or in an exported interface."""

    interface: str | None
    name: str

    @property
    def short(self) -> str:
        """`greet`, or `greetings-greet` of `example:greeter/greetings@1.0.0`."""
        if self.interface is None:
            return self.name
        return f"{self.interface.partition('@')[0].rpartition('/')[2]}-{self.name}"

    @property
    def full(self) -> str:
        return self.name if self.interface is None else f"{self.interface}#{self.name}"


class Component:
    """Compiled code; `signatures` has the exported functions whose types JSON can carry.

    They have the name of the function, behind that of its interface where it is in one. `digest` is
    the SHA-256 of the source. Raises ModuleRejected when it imports what this host does not offer.
    """

    def __init__(
        self, engine: wasmtime.Engine, compiled: native.Component, digest: str, size_bytes: int
    ) -> None:
        self.native = compiled
        self.digest = digest
        self.size_bytes = size_bytes
        imports = compiled.type.imports(engine)
        self.imports = tuple(imports)
        _check({name: _item(each) for name, each in imports.items()}, engine)
        found = dict(_functions(compiled.type.exports(engine), engine))
        self.exports = _named(found)
        self.signatures = {name: found[export] for name, export in self.exports.items()}

    def index(self, export: Export) -> native.ExportIndex:
        """Where an export is found in an instance."""
        interface = None
        if export.interface is not None:
            interface = self.native.get_export_index(export.interface)
        index = self.native.get_export_index(export.name, interface)
        assert index is not None  # noqa: S101 - it is one of this component's
        return index


def _functions(
    exports: Mapping[str, ComponentExtern], engine: wasmtime.Engine
) -> Iterator[tuple[Export, FunctionType]]:
    reader = TypeReader()
    for name, each in exports.items():
        kind = _item(each)
        inner = kind.exports(engine) if isinstance(kind, native.ComponentInstanceType) else {}
        found = {Export(name, function): _item(extern) for function, extern in inner.items()}
        for export, function in (found or {Export(None, name): kind}).items():
            # Methods of resources have names in brackets: JSON has no word for what they belong to.
            if not isinstance(function, native.FuncType) or export.name.startswith("["):
                continue
            if signature := reader.read_function(function):
                yield export, signature


def _named(exports: Mapping[Export, FunctionType]) -> dict[str, Export]:
    """The exports by their short names; by their full ones where two have the same."""
    short = [export.short for export in exports]
    return {e.short if short.count(e.short) == 1 else e.full: e for e in exports}


def _check(imports: Mapping[str, object], engine: wasmtime.Engine) -> None:
    """Raises ModuleRejected, naming each import that is not offered."""
    absent = [name for name, kind in imports.items() if not _is_offered(name, kind, engine)]
    if absent:
        shown = ", ".join(one_line(name, NAME_CHARACTERS) for name in absent)
        raise ModuleRejected(f"imports that are not offered here: {shown}"[:DETAIL_CHARACTERS])


def _is_offered(name: str, kind: object, engine: wasmtime.Engine) -> bool:
    interface, _, version = name.partition("@")
    if interface in WASI_INTERFACES and version.startswith(WASI_VERSION):
        return True
    # An interface of which only types are used asks nothing of its host.
    return isinstance(kind, native.ComponentInstanceType) and all(
        isinstance(_item(each), native.ValType) for each in kind.exports(engine).values()
    )


def _item(extern: ComponentExtern) -> object:
    """What an import or export is; None for a kind that the bindings do not know."""
    try:
        return extern.ty
    except TypeError:
        return None
