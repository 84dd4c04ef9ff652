"""What a module or a component offers, read without running it."""

from collections.abc import Mapping

from converters.component_types import FunctionType
from servient.wasm.engine import Engine, is_component
from servient.wasm.imports.standard import ImportSettings, build_namespaces
from servient.wasm.types import Signature


async def read_signatures(
    binary: bytes,
) -> Mapping[str, FunctionType] | Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The exported functions whose types JSON can carry. Raises ModuleRejected."""
    async with Engine(namespaces=build_namespaces(ImportSettings())) as engine:
        if is_component(binary):
            return (await engine.compile_component(binary)).signatures
        return {
            name: _plain(each) for name, each in (await engine.compile(binary)).signatures.items()
        }


def _plain(signature: Signature) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(map(str, signature.parameters)), tuple(map(str, signature.results))
