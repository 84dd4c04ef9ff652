"""`dht`: temperature and humidity."""

import threading
from collections.abc import Mapping

from servient.errors import ActionFailed
from servient.wasm.imports.caller import Caller
from servient.wasm.imports.host_function import HostFunction
from servient.wasm.imports.sensors import Reading, SensorSource
from servient.wasm.types import Signature, ValueType

ATTEMPTS = 3
# The sensor measures every two seconds.
BETWEEN_ATTEMPTS_SECONDS = 2.0
CHECK_SECONDS = 0.05


class Dht:
    """One sensor for all modules, which is read by one at a time."""

    name = "dht"

    def __init__(self, source: SensorSource | None) -> None:
        self._source = source
        self._turn = threading.Lock()

    def functions(self) -> Mapping[str, HostFunction]:
        number = Signature((), (ValueType.F32,))
        return {
            "getTemperature": HostFunction(number, lambda caller: self._read(caller).temperature),
            "getHumidity": HostFunction(number, lambda caller: self._read(caller).humidity),
        }

    def _read(self, caller: Caller) -> Reading:
        if self._source is None:
            raise ActionFailed(
                "no sensor is configured: the setting `sensor_source` wants two numbers, the path of"
                " a file, or a sensor and its pin such as `dht22:D4`"
            )
        for attempt in range(ATTEMPTS):
            if attempt:
                caller.pause(BETWEEN_ATTEMPTS_SECONDS)
            reading = self._read_once(self._source, caller)
            if reading is not None:
                return reading
        raise ActionFailed("the sensor gave no reading")

    def _read_once(self, source: SensorSource, caller: Caller) -> Reading | None:
        while not self._turn.acquire(timeout=CHECK_SECONDS):
            caller.check()
        try:
            return source.read()
        finally:
            self._turn.release()
