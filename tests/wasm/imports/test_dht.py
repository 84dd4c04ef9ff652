"""`dht`: temperature and humidity from constants, files and a driver."""

import sys
from pathlib import Path

import pytest

from servient.errors import ActionFailed, DeadlineExceeded
from servient.wasm.imports.dht import Dht
from servient.wasm.imports.sensors import Reading, parse_sensor_source
from tests.wasm.conftest import call
from tests.wasm.imports.conftest import Run

DHT = """
(module
  (import "dht" "getTemperature" (func $temperature (result f32)))
  (import "dht" "getHumidity" (func $humidity (result f32)))
  (func (export "both") (result f32 f32) (call $temperature) (call $humidity)))
"""

DRIVER = """
class DHT22:
    attempts = 0
    def __init__(self, pin):
        assert pin == "pin four"
    @property
    def temperature(self):
        DHT22.attempts += 1
        if DHT22.attempts % 2:
            raise RuntimeError("Checksum did not validate. Try again.")
        return -3.5
    humidity = 80
"""


async def test_a_module_reads_both(run: Run) -> None:
    async with run(DHT, Dht(parse_sensor_source("-21.5, 40"))) as instance:
        assert (await call(instance, "both")).values == (-21.5, 40.0)


async def test_without_a_sensor_the_setting_is_named(run: Run) -> None:
    async with run(DHT, Dht(None)) as instance:
        with pytest.raises(ActionFailed, match=r"dht\.getTemperature: no sensor.*`sensor_source`"):
            await call(instance, "both")


async def test_a_reading_that_no_f32_can_hold_is_a_failure(run: Run) -> None:
    async with run(DHT, Dht(parse_sensor_source("1e300 1"))) as instance:
        with pytest.raises(ActionFailed, match=r"dht\.getTemperature"):
            await call(instance, "both")


async def test_a_file_is_read_anew_each_time(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "sensor"
    async with run(DHT, Dht(parse_sensor_source(str(file)))) as instance:
        for text in (
            "20 50\n",
            "20.0,50.0",
            '{"humidity": 50, "temperature": 20, "x": 1}',
            "[20, 50]",
        ):
            file.write_text(text)
            assert (await call(instance, "both")).values == (20.0, 50.0)


@pytest.mark.parametrize(
    "text",
    ["", "20", "20 x", "nan 3", "1 2 3", "{}", "[1]", "null", "7", "[" * 4000, '"1 2"', "inf 1"],
)
def test_files_without_two_numbers_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sensor"
    file.write_text(text)
    with pytest.raises(ActionFailed, match="'sensor' has no temperature and humidity"):
        parse_sensor_source(str(file)).read()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ActionFailed, match="'sensor' cannot be read: No such file"):
        parse_sensor_source(str(tmp_path / "sensor")).read()


def test_a_driver_that_is_not_installed() -> None:
    with pytest.raises(ActionFailed, match=r"driver cannot be loaded \(wasm-servient\[dht\]\)"):
        parse_sensor_source("dht22:D4").read()


async def test_a_sensor_is_asked_again_when_it_stumbles(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a driver of the same shape as the real one, which needs a board."""
    (tmp_path / "adafruit_dht.py").write_text(DRIVER)
    (tmp_path / "board.py").write_text('D4 = "pin four"\n')
    monkeypatch.syspath_prepend(tmp_path)
    try:
        source = parse_sensor_source("DHT22:D4")
        assert source.read() is None
        assert source.read() == Reading(-3.5, 80.0)
        with pytest.raises(ActionFailed, match="no pin 'Q9'"):
            parse_sensor_source("dht22:Q9").read()
        async with run(DHT, Dht(source)) as instance:
            with pytest.raises(DeadlineExceeded):
                await call(instance, "both", deadline_seconds=0.3)
    finally:
        for name in ("adafruit_dht", "board"):
            sys.modules.pop(name, None)
