"""`network.ping`: only into configured networks."""

from ipaddress import IPv4Network

import pytest

from servient.errors import ActionFailed, ModuleTrapped
from servient.wasm.imports import network
from servient.wasm.imports.network import Network
from tests.wasm.conftest import call
from tests.wasm.imports.conftest import Run

PING = """
(module
  (import "network" "ping" (func $ping (param i32 i32 i32 i32) (result f32)))
  (func (export "ping") (param i32 i32 i32 i32) (result f32)
    (call $ping (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
"""
HERE = Network([IPv4Network("127.0.0.0/8")])


async def test_this_machine_is_near(run: Run) -> None:
    async with run(PING, HERE) as instance:
        (milliseconds,) = (await call(instance, "ping", 127, 0, 0, 1)).values
        assert 0 < milliseconds < 2000


async def test_a_connection_tells_the_distance_too() -> None:
    assert 0 < await network._connect("127.0.0.1") < 2000


async def test_only_configured_networks_are_asked(run: Run) -> None:
    async with run(PING, HERE) as instance:
        with pytest.raises(ActionFailed, match=r"192\.0\.2\.1 may not be asked.*`ping_networks`"):
            await call(instance, "ping", 192, 0, 2, 1)


@pytest.mark.parametrize("octets", [(256, 0, 0, 1), (-1, 0, 0, 0), (127, 0, 0, 2**31 - 1)])
async def test_octets_that_are_none(run: Run, octets: tuple[int, ...]) -> None:
    async with run(PING, HERE) as instance:
        with pytest.raises(ModuleTrapped, match="is not an IPv4 address"):
            await call(instance, "ping", *octets)


async def test_an_address_that_cannot_be_reached(run: Run) -> None:
    async with run(PING, Network([IPv4Network("0.0.0.0/0")])) as instance:
        assert (await call(instance, "ping", 255, 255, 255, 255)).values == (-1.0,)
