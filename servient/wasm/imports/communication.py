"""`communication`: bytes to functions on other machines, which the operator has named."""

from collections.abc import Mapping

import httpx

from servient.errors import ActionFailed
from servient.version import VERSION
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
        # Made once: it takes longer than a request.
        self._tls = httpx.create_ssl_context() if targets else None

    def functions(self) -> Mapping[str, HostFunction]:
        return {"rpcCall": HostFunction(Signature((I32, I32, I32, I32), ()), self._call)}

    def _call(self, caller: Caller, name: int, name_length: int, data: int, length: int) -> None:
        """POST the data as the file `img`; fails unless the target answers with a success."""
        if name_length & U32 > NAME_LIMIT_BYTES:
            raise ActionFailed(f"no target has a name of {name_length & U32} bytes")
        target = caller.read_text(name, name_length)
        url = self._targets.get(target)
        if url is None:
            raise ActionFailed(
                f"there is no target {target[:100]!r}: it must stand in the setting `rpc_targets`"
            )
        try:
            status = wait_for(self._post(url, caller.read(data, length)), caller)
        except (httpx.HTTPError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise ActionFailed(f"target {target!r} cannot be reached: {reason[:200]}") from error
        if not 200 <= status < 300:
            raise ActionFailed(f"target {target!r} answered with status {status}")

    async def _post(self, url: str, data: bytes) -> int:
        """The status; the answer's body is not looked at."""
        client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=None,  # noqa: S113 - the guest's deadline bounds it
            verify=self._tls or True,
            headers={"User-Agent": f"wasm-servient/{VERSION}"},
        )
        file = (FIELD, data, "application/octet-stream")
        async with client, client.stream("POST", url, files={FIELD: file}) as answer:
            return answer.status_code
