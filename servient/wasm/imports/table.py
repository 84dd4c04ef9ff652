"""Everything that modules may import here, by name and type."""

from collections.abc import Iterable, Sequence

import wasmtime

from servient.errors import ModuleRejected
from servient.wasm.imports.host_function import HostFunction, Namespace
from servient.wasm.imports.wasi import WASI, wasi_signatures
from servient.wasm.native_types import read_signature
from servient.wasm.one_line import one_line
from servient.wasm.types import Signature

DETAIL_CHARACTERS = 300
NAME_CHARACTERS = 100

Name = tuple[str, str]


class ImportTable:
    """The functions of the given namespaces, and all of WASI preview 1."""

    def __init__(self, engine: wasmtime.Engine, namespaces: Iterable[Namespace]) -> None:
        self._functions: dict[Name, HostFunction] = {
            (namespace.name, name): function
            for namespace in namespaces
            for name, function in namespace.functions().items()
        }
        self._signatures: dict[Name, Signature] = {
            (WASI, name): signature for name, signature in wasi_signatures(engine).items()
        }
        self._signatures |= {name: each.signature for name, each in self._functions.items()}

    def names(self) -> tuple[str, ...]:
        """As `namespace.name`, sorted: what a module may import as this machine is."""
        return tuple(sorted(".".join(name) for name in self._signatures if not self._lack(name)))

    def function(self, name: Name) -> HostFunction | None:
        """None for WASI's, which the engine brings along."""
        return self._functions.get(name)

    def check(self, imports: Sequence[wasmtime.ImportType]) -> None:
        """Raises ModuleRejected, naming each import that is not offered or is of another type."""
        absent, different = [], []
        lacks = dict.fromkeys(
            lack for each in imports if (lack := self._lack((each.module, each.name or "")))
        )
        for each in imports:
            name = one_line(f"{each.module}.{each.name}", NAME_CHARACTERS)
            offered = self._signatures.get((each.module, each.name or ""))
            if offered is None:
                absent.append(name)
            elif not isinstance(each.type, wasmtime.FuncType):
                different.append(f"{name} is a function here")
            elif read_signature(each.type) != offered:
                wanted = _written(each.type.params, each.type.results)
                offers = _written(offered.parameters, offered.results)
                different.append(f"{name} is {offers} here, the module wants {wanted}")
        if absent:
            different.insert(0, f"imports that are not offered here: {', '.join(absent)}")
        if different or lacks:
            raise ModuleRejected("; ".join((*lacks, *different))[:DETAIL_CHARACTERS])

    def _lack(self, name: Name) -> str | None:
        function = self._functions.get(name)
        return function.lack() if function else None


def _written(parameters: Iterable[object], results: Iterable[object]) -> str:
    sides = [", ".join(map(str, side)) for side in (parameters, results)]
    return f"({sides[0]}) → {sides[1]}" if sides[1] else f"({sides[0]})"
