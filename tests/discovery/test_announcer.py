"""What others hear of a servient: at its start, at its restart, and at its end."""

import uuid
from collections.abc import Callable

import pytest
from zeroconf._dns import DNSAddress, DNSPointer, DNSService, DNSText
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from servient.app import App
from servient.config import Config
from servient.discovery.announcer import Announcer
from servient.discovery.records import WOT, WOT_UDP
from servient.discovery.service import WEBTHING, Service, find_address, is_own_address
from tests.discovery.packets import Packets, listening


@pytest.fixture
def service() -> Service:
    """One that no other run of the tests announces at this time."""
    return Service(f"servient-{uuid.uuid4().hex[:12]}", "127.0.0.1", 5999, str(uuid.uuid4()))


async def announced(packets: Packets, name: str) -> None:
    """Wait for all that is said at a start: a restart must not be told from it by accident."""
    await packets.wait_for(f"{name}.{WEBTHING}", 3)
    await packets.wait_for(f"{name}.{WOT}", 3)


async def look_up(kind: str, name: str) -> AsyncServiceInfo:
    async with AsyncZeroconf(interfaces=["127.0.0.1"]) as zeroconf:
        info = AsyncServiceInfo(kind, f"{name}.{kind}")
        assert await info.async_request(zeroconf.zeroconf, 10_000)
        return info


async def test_one_packet_says_all_that_an_orchestrator_needs(service: Service) -> None:
    async with listening() as packets, Announcer(service):
        records = (await packets.wait_for(f"{service.name}.{WEBTHING}"))[0]
    full_name = f"{service.name}.{WEBTHING}"
    pointers = [r.alias for r in records if isinstance(r, DNSPointer)]
    assert pointers == [full_name]
    servers = [(r.server, r.port) for r in records if isinstance(r, DNSService)]
    assert servers == [(f"{service.host}.local.", 5999)]
    addresses = [(r.name, r.address) for r in records if isinstance(r, DNSAddress)]
    assert addresses == [(f"{service.host}.local.", b"\x7f\0\0\1")]
    texts = [r.text for r in records if isinstance(r, DNSText)]
    assert texts == [b"\x06path=/\x05tls=0\x11address=127.0.0.1"]


async def test_whoever_browses_finds_it_and_orchestrators_hear_no_goodbye(service: Service) -> None:
    async with listening() as packets:
        async with Announcer(service):
            await announced(packets, service.name)
            for_orchestrators = await look_up(WEBTHING, service.name)
            for_consumers = await look_up(WOT, service.name)
        assert packets.goodbyes(f"{service.name}.{WOT}")  # these may forget it
        assert not packets.goodbyes(f"{service.name}.{WEBTHING}")
        assert not packets.goodbyes(f"{service.host}.local.")
    assert for_orchestrators.parsed_addresses() == ["127.0.0.1"]
    texts = {"path": "/", "tls": "0", "address": "127.0.0.1"}
    assert for_orchestrators.decoded_properties == texts
    texts = {"td": "/.well-known/wot", "type": "Directory", "scheme": "http"}
    assert for_consumers.decoded_properties == texts


async def test_coap_is_found_as_well() -> None:
    name = f"servient-{uuid.uuid4().hex[:12]}"
    service = Service(name, "127.0.0.1", 5999, str(uuid.uuid4()), coap_port=5998)
    async with listening() as packets:
        async with Announcer(service):
            await announced(packets, name)
            await packets.wait_for(f"{name}.{WOT_UDP}", 3)
            found = await look_up(WOT_UDP, name)
        assert packets.goodbyes(f"{name}.{WOT_UDP}")
        assert not packets.goodbyes(f"{name}.{WEBTHING}")
        assert not packets.goodbyes(f"{service.host}.local.")
    assert (found.port, found.parsed_addresses()) == (5998, ["127.0.0.1"])
    texts = {"td": "/.well-known/wot", "type": "Directory", "scheme": "coap"}
    assert found.decoded_properties == texts


async def test_a_restart_is_no_conflict(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as packets:
        for round_ in (1, 2):
            async with Announcer(service):
                await packets.wait_for(f"{service.name}.{WEBTHING}", 3 * round_)
        assert not packets.goodbyes(f"{service.name}.{WEBTHING}")
    assert "has that name" not in caplog.text


async def test_who_withdraws_says_goodbye(service: Service) -> None:
    async with listening() as packets:
        async with Announcer(service, withdraws=True):
            await announced(packets, service.name)
        assert packets.goodbyes(f"{service.name}.{WEBTHING}")


async def test_leaving_before_it_was_announced_says_nothing(service: Service) -> None:
    async with listening() as packets:
        async with Announcer(service):
            pass
        assert not packets.goodbyes(f"{service.name}.{WEBTHING}")


async def test_it_can_be_repeated_without_a_goodbye(service: Service) -> None:
    async with listening() as packets, Announcer(service) as announcer:
        await announced(packets, service.name)
        before = len(packets.of(f"{service.name}.{WEBTHING}"))
        await announcer.repeat()
        await packets.wait_for(f"{service.name}.{WEBTHING}", before + 1)
        assert not packets.goodbyes(f"{service.name}.{WEBTHING}")


async def test_a_name_that_another_holds_is_left_to_it(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    other = Service(service.name, service.address, 6001, str(uuid.uuid4()))
    async with listening() as packets, Announcer(service):
        await announced(packets, service.name)
        async with Announcer(other) as loser:
            assert loser._task is not None
            await loser._task
        assert (await look_up(WEBTHING, service.name)).port == 5999
        assert not packets.goodbyes(f"{service.name}.{WEBTHING}")
    assert "another servient has that name" in caplog.text


async def test_the_same_servient_behind_a_proxy_is_no_other(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening() as packets, Announcer(service):
        await announced(packets, service.name)
        async with Announcer(service) as again:
            assert again._task is not None
            await again._task
    assert "has that name" not in caplog.text


def test_which_addresses_are_our_own() -> None:
    assert is_own_address("127.0.0.1")
    assert not is_own_address("198.51.100.77")


async def test_an_app_is_announced_where_it_is_wanted(settings: Callable[..., Config]) -> None:
    name = f"app-{uuid.uuid4().hex[:12]}"
    async with listening() as packets:
        async with App(settings(name=name, bindings=("http",), announce=True)) as app:
            await packets.wait_for(f"{name}.{WEBTHING}")
            info = await look_up(WEBTHING, name)
            assert info.port == app.bindings["http"].port
        assert not packets.goodbyes(f"{name}.{WEBTHING}")


async def test_addresses() -> None:
    assert await find_address("127.0.0.1") == "127.0.0.1"
    assert await find_address("localhost") == "127.0.0.1"
    assert await find_address("::1") is None
    assert await find_address("nowhere.invalid") is None
