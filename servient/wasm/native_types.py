"""Function types between the engine's objects and ours."""

import wasmtime

from servient.wasm.types import Signature, ValueType

NUMERIC = {str(each) for each in ValueType}


def read_signature(function: wasmtime.FuncType) -> Signature | None:
    """None when not all of its types are numeric."""
    types = [[str(each) for each in side] for side in (function.params, function.results)]
    if not NUMERIC.issuperset(types[0] + types[1]):
        return None
    return Signature(*(tuple(map(ValueType, side)) for side in types))


def to_native(signature: Signature) -> wasmtime.FuncType:
    types = [
        [getattr(wasmtime.ValType, each)() for each in side]
        for side in (signature.parameters, signature.results)
    ]
    return wasmtime.FuncType(*types)
