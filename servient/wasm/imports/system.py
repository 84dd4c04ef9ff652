"""`sys`: time and text."""

import time
from collections.abc import Mapping

from servient.wasm.imports.caller import Caller
from servient.wasm.imports.host_function import HostFunction
from servient.wasm.types import Signature, ValueType

I32 = ValueType.I32


class System:
    """What a module prints goes into the stdout of its call."""

    name = "sys"

    def __init__(self) -> None:
        self._started = time.monotonic()

    def functions(self) -> Mapping[str, HostFunction]:
        return {
            "millis": HostFunction(Signature((), (I32,)), self._millis),
            "delay": HostFunction(Signature((I32,), ()), _delay),
            "print": HostFunction(Signature((I32, I32), ()), _print),
            "println": HostFunction(Signature((I32,), ()), _println),
            "printInt": HostFunction(Signature((I32,), ()), _print_int),
        }

    def _millis(self, _: Caller) -> int:
        """Milliseconds since the servient's start; after 24 days negative, as 32 bits have it."""
        milliseconds = int((time.monotonic() - self._started) * 1000)
        return (milliseconds + 2**31) % 2**32 - 2**31


def _delay(caller: Caller, milliseconds: int) -> None:
    caller.pause(max(0, milliseconds) / 1000)


def _print(caller: Caller, address: int, length: int) -> None:
    caller.print(address, length)


def _println(caller: Caller, number: int) -> None:
    caller.write_stdout(b"%d\n" % number)


def _print_int(caller: Caller, number: int) -> None:
    caller.write_stdout(b"%d" % number)
