"""Host functions within one guest: the one place where their exceptions are caught."""

import ctypes
import logging
from collections.abc import Callable
from dataclasses import dataclass

import wasmtime
from wasmtime import _ffi as ffi

from servient.errors import ActionFailed, ServientError
from servient.wasm.imports.caller import Caller, Interrupted, Surroundings
from servient.wasm.imports.host_function import HostFunction
from servient.wasm.native_types import to_native
from servient.wasm.types import Signature
from servient.wasm.values import SLOT_BYTES, Codec

logger = logging.getLogger(__name__)

_NO_FINALIZER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)()
_NO_TRAP = 0


@dataclass(frozen=True, slots=True)
class HostFailure:
    """Which host function failed, and why."""

    name: str
    error: ActionFailed

    def to_error(self, what: str) -> ServientError:
        """The error of the call in which it happened."""
        return type(self.error)(f"{what} failed in {self.name}: {self.error.detail}")


class Link:
    """Defines host functions in one guest's linker; `failure` is that of the guest's last call.

    An exception must not leave a host function: it would travel through a slot that is shared by all
    threads, to somebody else's caller. It is kept here, and the guest traps.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._callbacks: list[object] = []  # which must live as long as the guest
        self.failure: HostFailure | None = None

    def begin(self) -> None:
        """A call of the guest starts."""
        self.failure = None

    def define(
        self, linker: wasmtime.Linker, namespace: str, name: str, function: HostFunction
    ) -> None:
        entry = ffi.wasmtime_func_unchecked_callback_t(self._entry(f"{namespace}.{name}", function))
        self._callbacks.append(entry)
        native = to_native(function.signature)  # a temporary one would be freed too soon
        names = [each.encode() for each in (namespace, name)]
        error = ffi.wasmtime_linker_define_func_unchecked(
            linker.ptr(),
            ctypes.create_string_buffer(names[0]),
            len(names[0]),
            ctypes.create_string_buffer(names[1]),
            len(names[1]),
            native.ptr(),
            entry,
            None,
            _NO_FINALIZER,
        )
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)

    def close(self) -> None:
        """The guest is gone."""
        self._callbacks.clear()

    def _entry(self, name: str, function: HostFunction) -> Callable[..., int]:
        # Seen from the host, the parameters are what is read and the results what is written.
        signature = function.signature
        codec = Codec(Signature(parameters=signature.results, results=signature.parameters))
        size = codec.slot_count * SLOT_BYTES
        has_result = bool(signature.results)

        def enter(_environment: object, pointer: object, slots: object, _count: int) -> int:
            try:
                native = wasmtime.Caller(pointer)  # type: ignore[arg-type] # a C pointer
                cells = (ctypes.c_uint8 * size).from_address(
                    ctypes.cast(slots, ctypes.c_void_p).value or 0  # type: ignore[arg-type]
                )
                result = function.act(Caller(native, self._surroundings), *codec.decode(cells))
                if has_result:
                    codec.encode(cells, (result,))  # type: ignore[arg-type] # a function of a result
            except BaseException as error:  # noqa: BLE001 - none may leave; see the class
                self._record(name, error)
                return _new_trap()
            return _NO_TRAP

        return enter

    def _record(self, name: str, error: BaseException) -> None:
        if isinstance(error, Interrupted) or self.failure is not None:
            return  # the watch knows the reason, or a host function further inside told it
        if not isinstance(error, ServientError):
            logger.error("the host function %s failed", name, exc_info=error)
            error = ActionFailed("it failed for a reason that stands in the servient's log")
        elif not isinstance(error, ActionFailed):
            error = ActionFailed(error.detail)
        self.failure = HostFailure(name, error)


def _new_trap() -> int:
    message = b"a host function failed"
    trap = ffi.wasmtime_trap_new(ctypes.create_string_buffer(message), len(message))
    return ctypes.cast(trap, ctypes.c_void_p).value or 0
