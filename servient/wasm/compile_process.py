"""The program that compiles one module: bytes on stdin, compiled code on stdout, reasons on stderr."""

import resource
import sys

import wasmtime
from wasmtime import component

from servient.wasm.configuration import COMPONENT_PREAMBLE, native_engine


def main(memory_bytes: int, cpu_seconds: int) -> int:
    """Exit code 1: the bytes are no module."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    binary = sys.stdin.buffer.read()
    try:
        kind = component.Component if binary.startswith(COMPONENT_PREAMBLE) else wasmtime.Module
        code = kind(native_engine(), binary).serialize()
    except wasmtime.WasmtimeError as error:
        sys.stderr.write(str(error))
        return 1
    sys.stdout.buffer.write(code)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
