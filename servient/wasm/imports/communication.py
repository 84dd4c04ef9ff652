"""`communication`: bytes to functions on other machines, which the operator has named."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from servient.errors import ActionFailed
from servient.wasm.imports.caller import Caller
from servient.wasm.imports.host_function import HostFunction
from servient.wasm.imports.waiting import wait_for
from servient.wasm.memory import U32
from servient.wasm.types import Signature, ValueType

FIELD = "img"
NAME_LIMIT_BYTES = 256
I32 = ValueType.I32


class Communication:
    """`targets` are the only URLs that modules reach, by the names that modules call them."""

    name = "communication"

    def __init__(self, targets: Mapping[str, str]) -> None:
        self._targets = dict(targets)
        self._post = _make_post() if targets else None

    def functions(self) -> Mapping[str, HostFunction]:
        return {"rpcCall": HostFunction(Signature((I32, I32, I32, I32), ()), self._call)}

    def _call(self, caller: Caller, name: int, name_length: int, data: int, length: int) -> None:
        """POST the data as the file `img`; fails unless the target answers with a success."""
        if name_length & U32 > NAME_LIMIT_BYTES:
            raise ActionFailed(f"no target has a name of {name_length & U32} bytes")
        target = caller.read_text(name, name_length)
        url = self._targets.get(target)
        if url is None or self._post is None:
            raise ActionFailed(
                f"there is no target {target[:100]!r}: it must stand in the setting `rpc_targets`"
            )
        try:
            status = wait_for(self._post(url, FIELD, caller.read(data, length)), caller)
        except OSError as error:
            reason = str(error) or type(error).__name__
            raise ActionFailed(f"target {target!r} cannot be reached: {reason[:200]}") from error
        if not 200 <= status < 300:
            raise ActionFailed(f"target {target!r} answered with status {status}")


def _make_post() -> Callable[[str, str, bytes], Coroutine[Any, Any, int]]:
    # Here, since few servients have targets.
    from servient.wasm.imports.post import Post  # noqa: PLC0415

    return Post()
