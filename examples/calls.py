"""Call a built module as its `expect.json` says, on plain wasmtime, and say what differs.

    calls.py MODULE.wasm expect.json [--same-exports-as OTHER.wasm]

A call is `{"function", "arguments"}` and what is expected of it: `"result"`, or `"trap"` (the name
of a `wasmtime.TrapCode`), or neither when any result will do. `"files"` lie in the module's folder
before the call and `"written"` after it, names to base64, null for a file that must not be there.
The calls share one instance, until one of them traps. A program's `_start` has `"argv"` and `"stdin"`,
and gives `"stdout"` and an `"exit"` code, in an instance of its own.
"""

import argparse
import base64
import json
import math
import struct
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import wasmtime

ENDLESS_SECONDS = 0.2
DEADLINE_SECONDS = 30.0
MEMORY_LIMIT_BYTES = 256 * 2**20
EXPECTED = ("result", "trap", "stdout", "exit")


@dataclass(frozen=True, slots=True)
class Call:
    """One call and what is expected of it."""

    function: str
    arguments: Sequence[int | float]
    expected: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str | None] = field(default_factory=dict)
    argv: Sequence[str] | None = None
    stdin: str = ""

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.argv or self.arguments))})"


def parse_calls(document: Sequence[Mapping[str, Any]]) -> list[Call]:
    """Reads the content of an `expect.json`."""
    return [
        Call(
            function=entry["function"],
            arguments=entry["arguments"],
            expected={key: entry[key] for key in EXPECTED if key in entry},
            files=entry.get("files", {}),
            written=entry.get("written", {}),
            argv=entry.get("argv"),
            stdin=entry.get("stdin", ""),
        )
        for entry in document
    ]


class Machine:
    """An instance of a module with a folder of its own; a new instance after each trap.

    Its standard streams are files in another one.
    """

    def __init__(self, module_path: Path, folder: Path, streams: Path) -> None:
        config = wasmtime.Config()
        config.epoch_interruption = True
        self._engine = wasmtime.Engine(config)
        self._module = wasmtime.Module.from_file(self._engine, str(module_path))
        self._folder = folder
        self._streams = streams
        self._start()

    def _start(self, argv: Sequence[str] = (), stdin: str = "") -> None:
        wasi = wasmtime.WasiConfig()
        wasi.argv = list(argv)
        (self._streams / "stdin").write_text(stdin)
        wasi.stdin_file = self._streams / "stdin"
        wasi.stdout_file = str(self._streams / "stdout")
        wasi.preopen_dir(str(self._folder), ".")
        self._store = wasmtime.Store(self._engine)
        self._store.set_wasi(wasi)
        self._store.set_limits(memory_size=MEMORY_LIMIT_BYTES)
        self._store.set_epoch_deadline(1)
        linker = wasmtime.Linker(self._engine)
        linker.define_wasi()
        linker.define_unknown_imports_as_traps(self._module)
        self._instance = linker.instantiate(self._store, self._module)

    def difference(self, call: Call) -> str | None:
        """Makes the call; answers what is not as expected."""
        for old in self._folder.iterdir():
            old.unlink()
        for name, content in call.files.items():
            (self._folder / name).write_bytes(base64.b64decode(content))
        if call.argv is not None:
            self._start(call.argv, call.stdin)
        try:
            result, kind = self._run(call)
        except wasmtime.ExitTrap as ended:
            return self._exit_difference(ended.code, call)
        except wasmtime.Trap as trap:
            self._start()
            return self._trap_difference(trap, call)
        if call.argv is not None:
            return self._exit_difference(0, call)
        if "trap" in call.expected:
            return f"gave {result!r}, not the trap {call.expected['trap']}"
        if "result" in call.expected and not is_same(result, call.expected["result"], kind):
            return f"gave {result!r}, not {call.expected['result']!r}"
        return self._file_difference(call)

    def _run(self, call: Call) -> tuple[Any, str | None]:
        function = self._instance.exports(self._store)[call.function]
        if not isinstance(function, wasmtime.Func):
            raise TypeError(f"the export {call.function!r} is not a function")
        results = function.type(self._store).results
        is_endless = call.expected.get("trap") == wasmtime.TrapCode.INTERRUPT.name
        deadline = threading.Timer(
            ENDLESS_SECONDS if is_endless else DEADLINE_SECONDS, self._engine.increment_epoch
        )
        self._store.set_epoch_deadline(1)
        deadline.start()
        try:
            return function(self._store, *call.arguments), str(results[0]) if results else None
        finally:
            deadline.cancel()
            deadline.join()

    def _exit_difference(self, code: int, call: Call) -> str | None:
        if code != call.expected.get("exit"):
            return f"ended with exit code {code}"
        printed = (self._streams / "stdout").read_text()
        if printed != call.expected.get("stdout", printed):
            return f"printed {printed!r}, not {call.expected['stdout']!r}"
        return self._file_difference(call)

    @staticmethod
    def _trap_difference(trap: wasmtime.Trap, call: Call) -> str | None:
        name = trap.trap_code.name if trap.trap_code else "of no known code"
        if name == call.expected.get("trap"):
            return None
        return f"trapped: {name}"

    def _file_difference(self, call: Call) -> str | None:
        for name, content in call.written.items():
            path = self._folder / name
            found = base64.b64encode(path.read_bytes()).decode() if path.exists() else None
            if found != content:
                return f"left {name} as {found!r}, not {content!r}"
        return None


def is_same(result: Any, expected: Any, kind: str | None) -> bool:
    """Whether a result of that Wasm type is the expected one, in the type's own precision."""
    if kind not in {"f32", "f64"}:
        return bool(result == expected)
    if kind == "f32":
        (expected,) = struct.unpack("<f", struct.pack("<f", expected))
    return bool(result == expected) or (math.isnan(result) and math.isnan(expected))


def differences(module_path: Path, calls: Sequence[Call]) -> Iterator[str]:
    """What is not as expected, a sentence per call."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as streams:
        machine = Machine(module_path, Path(folder), Path(streams))
        for call in calls:
            if difference := machine.difference(call):
                yield f"{call} {difference}"


def signatures(module_path: Path) -> dict[str, str]:
    """The exported functions of a module with their types."""
    module = wasmtime.Module.from_file(wasmtime.Engine(), str(module_path))
    return {
        export.name: f"({', '.join(map(str, export.type.params))})"
        f" -> ({', '.join(map(str, export.type.results))})"
        for export in module.exports
        if isinstance(export.type, wasmtime.FuncType)
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the differences; answers 1 if there are any."""
    parser = argparse.ArgumentParser(description="Check a built module against its expect.json.")
    parser.add_argument("module", type=Path)
    parser.add_argument("expect", type=Path)
    parser.add_argument("--same-exports-as", type=Path, metavar="OTHER")
    options = parser.parse_args(arguments)
    calls = parse_calls(json.loads(options.expect.read_text()))
    found = list(differences(options.module, calls))
    if options.same_exports_as:
        theirs, ours = signatures(options.same_exports_as), signatures(options.module)
        if theirs != ours:
            found.append(f"exports {ours}, not {theirs}")
    for line in found:
        print(f"{options.module}: {line}")
    print(f"{options.module}: {len(calls)} calls, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
