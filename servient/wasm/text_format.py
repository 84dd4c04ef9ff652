"""WebAssembly's text format, as people write it, to the binary one."""

import wasmtime

from servient.errors import ModuleRejected


def parse_wat(text: bytes) -> bytes:
    """Raises ModuleRejected."""
    try:
        return bytes(wasmtime.wat2wasm(text))
    except wasmtime.WasmtimeError as error:
        raise ModuleRejected(
            f"not WebAssembly text: {' '.join(str(error).split())[:300]}"
        ) from error
