"""Where temperature and humidity come from: a sensor, a file, or two constants."""

import importlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from servient.errors import ActionFailed

KINDS = {"dht11": "DHT11", "dht22": "DHT22"}
FILE_LIMIT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Reading:
    """Degrees Celsius, and per cent of relative humidity."""

    temperature: float
    humidity: float


class SensorSource(Protocol):
    """Blocking; used by one thread at a time."""

    def read(self) -> Reading | None:
        """None when the sensor may do better in a moment. Raises ActionFailed."""
        ...


def parse_sensor_source(text: str) -> SensorSource:
    """Two numbers (`21.5 40`), a sensor at a pin (`dht22:D4`), or the path of a file with two numbers."""
    constant = _parse_numbers(text.replace(",", " ").split())
    if constant is not None:
        return Constant(constant)
    kind, colon, pin = text.partition(":")
    if colon and kind.lower() in KINDS:
        return Driver(KINDS[kind.lower()], pin)
    return File(Path(text))


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same."""

    reading: Reading

    def read(self) -> Reading:
        return self.reading


class File:
    """Read at each call: `temperature humidity`, or JSON with members of these names."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Reading:
        try:
            with self._path.open("rb") as file:
                text = file.read(FILE_LIMIT_BYTES).decode(errors="replace")
        except OSError as error:
            raise ActionFailed(
                f"the sensor's file {self._path.name!r} cannot be read: {error.strerror}"
            ) from error
        reading = _parse_reading(text)
        if reading is None:
            raise ActionFailed(
                f"the sensor's file {self._path.name!r} has no temperature and humidity"
            )
        return reading


class Driver:
    """A DHT sensor at a pin of this board, through adafruit-circuitpython-dht."""

    def __init__(self, kind: str, pin: str) -> None:
        self._kind = kind
        self._pin = pin
        self._device: Any = None

    def read(self) -> Reading | None:
        try:
            if self._device is None:
                self._device = self._open()
            temperature, humidity = self._device.temperature, self._device.humidity
        except RuntimeError:  # the driver's word for a reading with a wrong checksum
            return None
        return _parse_numbers([temperature, humidity])

    def _open(self) -> Any:
        try:
            driver = importlib.import_module("adafruit_dht")
            board = importlib.import_module("board")
            return getattr(driver, self._kind)(getattr(board, self._pin))
        except (ImportError, NotImplementedError) as error:
            raise ActionFailed(
                f"the sensor's driver cannot be loaded (wasm-servient[dht]): {error}"
            ) from error
        except AttributeError as error:
            raise ActionFailed(f"this board has no pin {self._pin[:20]!r}") from error


def _parse_reading(text: str) -> Reading | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _parse_numbers(text.replace(",", " ").split())
    if isinstance(document, dict):
        document = [document.get("temperature"), document.get("humidity")]
    return _parse_numbers(document) if isinstance(document, list) else None


def _parse_numbers(values: Sequence[Any]) -> Reading | None:
    """None unless these are two finite numbers."""
    try:
        temperature, humidity = map(float, values)
    except (TypeError, ValueError, OverflowError):
        return None
    if not (math.isfinite(temperature) and math.isfinite(humidity)):
        return None
    return Reading(temperature, humidity)
