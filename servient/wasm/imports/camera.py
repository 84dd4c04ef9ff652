"""`camera`: pictures as JPEG."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, wait

from servient.errors import ActionFailed
from servient.wasm.imports.caller import Caller
from servient.wasm.imports.host_function import HostFunction
from servient.wasm.imports.pictures import PictureSource
from servient.wasm.memory import U32
from servient.wasm.types import Signature, ValueType

CHECK_SECONDS = 0.05
I32 = ValueType.I32


class Camera:
    """One source for all modules, which takes one picture at a time."""

    name = "camera"

    def __init__(self, source: PictureSource | None) -> None:
        self._source = source
        self._turn = threading.Lock()

    def functions(self) -> Mapping[str, HostFunction]:
        two_addresses = Signature((I32, I32), ())
        return {
            "takeImageDynamicSize": HostFunction(two_addresses, self._take_dynamic),
            "takeImageStaticSize": HostFunction(two_addresses, self._take_static),
            "takeImage": HostFunction(two_addresses, self._take_into),
        }

    def _take_dynamic(self, caller: Caller, out_address: int, out_size: int) -> None:
        """Into memory that the module's `alloc` gives; where and how much is stored as u32."""
        picture = self._take(caller)
        address = caller.allocate(len(picture))
        caller.write(address, picture)
        caller.write_u32(out_address, address)
        caller.write_u32(out_size, len(picture))

    def _take_static(self, caller: Caller, address: int, size_address: int) -> None:
        """As much of it as the u32 at `size_address` says."""
        self._take_into(caller, address, caller.read_u32(size_address))

    def _take_into(self, caller: Caller, address: int, size: int) -> None:
        caller.write(address, self._take(caller)[: size & U32])

    def _take(self, caller: Caller) -> bytes:
        if self._source is None:
            raise ActionFailed(
                "no camera is configured: the setting `camera_source` wants a device, a picture, a"
                " folder of pictures or `test-picture`"
            )
        while not self._turn.acquire(timeout=CHECK_SECONDS):
            caller.check()
        taken: Future[bytes] = Future()
        threading.Thread(
            target=self._work, args=(self._source, taken), name="camera", daemon=True
        ).start()
        while not wait((taken,), timeout=CHECK_SECONDS).done:
            caller.check()
        return taken.result()

    def _work(self, source: PictureSource, taken: "Future[bytes]") -> None:
        """On a thread of its own: a device may keep it for seconds after the guest must stop."""
        try:
            taken.set_result(source.take())
        except BaseException as error:  # noqa: BLE001 - it is handed to the guest's thread
            taken.set_exception(error)
        finally:
            self._turn.release()
