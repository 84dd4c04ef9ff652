"""Starting and stopping, on both event loops."""

import asyncio
import contextlib
import gc
import socket
import weakref
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from aiocoap import EMPTY, GET, POST

from servient.bindings.coap.binding import CoapBinding
from servient.bindings.coap.udp import UdpSocket
from servient.wot.servient import Servient
from tests.bindings.coap.serving import LAMP, RawPeer, problem_of, serve

LEVEL = f"{LAMP}/properties/level"
Run = Callable[[Coroutine[Any, Any, None]], None]

both_loops = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


@both_loops
def test_a_client_that_went_makes_nobody_deaf(run: Run) -> None:
    """ICMP errors end that client's observations, and nothing else."""

    async def story() -> None:
        async with serve() as serving:
            for round_ in range(20):
                with serving.peer() as staying, serving.peer() as leaving:
                    await staying.ask(GET, LEVEL, observe=0)
                    await leaving.ask(GET, LEVEL, observe=0)
                    await serving.observers(2)
                    leaving.close()
                    serving.lamp.set_property("level", round_)
                    notification = await staying.receive()
                    assert notification.payload == str(round_).encode()
                    await staying.acknowledge(notification)
                    await serving.observers(1)
                    assert (await staying.ask(GET, LEVEL, observe=1)).payload
                    await serving.observers(0)

    run(story())


@both_loops
def test_answers_to_many_who_do_not_listen(run: Run) -> None:
    async def story() -> None:
        async with serve() as serving:
            with serving.peer() as patient:
                for _ in range(200):
                    with serving.peer() as peer:
                        await peer.request(GET, LEVEL)
                    assert (await patient.ask(GET, LEVEL)).payload == b"3"

    run(story())


@both_loops
def test_more_at_once_than_is_read_in_one_go(run: Run) -> None:
    async def story() -> None:
        async with serve() as serving:
            with serving.peer() as peer:
                for number in range(150):
                    await peer.request(GET, LEVEL, token=bytes([number]))
                tokens = {(await peer.receive()).token for _ in range(150)}
                assert len(tokens) == 150

    run(story())


@both_loops
def test_stopping_ends_everything(run: Run) -> None:
    """Observations, running actions, half a body, answers not yet fetched or acknowledged."""

    async def story() -> None:
        before = descriptors()
        async with serve() as serving:
            serving.lamp.set_action_handler("toggle", lambda _: asyncio.Event().wait())
            with serving.peer() as peer:
                await peer.ask(GET, LEVEL, observe=0, token=b"1")
                await peer.ask(GET, f"{LAMP}/events/toggled", observe=0, token=b"2")
                await peer.request(POST, f"{LAMP}/actions/toggle", token=b"3")
                await peer.ask(POST, "/x", token=b"4", payload=b"x" * 16, block1=(0, True, 0))
                await peer.ask(GET, LAMP, token=b"5")
                serving.lamp.set_property("level", 1)
                await peer.receive()
                async with asyncio.timeout(10):
                    await serving.servient.shutdown()
                await peer.request(GET, LEVEL)
                with pytest.raises(ConnectionRefusedError):
                    while True:
                        await peer.receive()  # what was sent before, or the farewell
            assert asyncio.all_tasks() == {asyncio.current_task()}
        del peer, serving
        gc.collect()
        assert descriptors() == before

    run(story())


def descriptors() -> set[str]:
    """The sockets and epoll objects that are open."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = str(descriptor.readlink())
            if "socket" in target or "eventpoll" in target:
                found.add(f"{descriptor.name} {target}")
    return found


async def test_nothing_is_left_in_memory() -> None:
    async with serve() as serving:
        with serving.peer() as peer:
            await peer.ask(GET, LAMP)
            await peer.ask(GET, LEVEL, observe=0)
            await peer.request(POST, f"{LAMP}/actions/toggle")
        endpoint = weakref.ref(serving.binding._endpoint)
        await serving.servient.shutdown()
        assert serving.binding.observers == 0
    await asyncio.sleep(0)
    gc.collect()
    assert endpoint() is None


async def test_it_starts_again_on_its_port() -> None:
    servient = Servient()
    binding = CoapBinding("127.0.0.1", "127.0.0.1", 0)
    servient.add_server(binding)
    await servient.start()
    port = binding.port
    await servient.shutdown()
    await binding.stop()
    await servient.start()
    try:
        assert binding.port == port != 0
        peer = RawPeer(port)
        assert problem_of(await peer.ask(GET, "/x"))[0] == "4.04"
        peer.close()
    finally:
        await servient.shutdown()


async def test_a_port_that_is_taken() -> None:
    async with serve() as serving:
        second = CoapBinding("127.0.0.1", "127.0.0.1", serving.binding.port)
        with pytest.raises(OSError, match=f"UDP 127.0.0.1:{serving.binding.port}"):
            await second.start(serving.servient)
        await second.stop()


async def test_an_address_that_is_not_ours() -> None:
    for host in ("192.0.2.1", "no-such-host.invalid"):
        with pytest.raises(OSError):
            await CoapBinding("x", host, 0).start(Servient())


@pytest.mark.parametrize(
    ("host", "reached"),
    [("127.0.0.1", "127.0.0.1"), ("localhost", None), ("::1", "::1"), ("::", "127.0.0.1"),
     ("::", "::1"), ("0.0.0.0", "127.0.0.1"), ("0.0.0.0", "127.0.0.9")],
)  # fmt: skip
async def test_addresses(host: str, reached: str | None) -> None:
    """Bound to all addresses, it answers from the one that was asked."""
    if ":" in host + (reached or "") and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    if reached is None:
        reached = str(socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)[0][4][0])
    async with serve(host=host) as serving:
        peer = RawPeer(serving.binding.port, reached)
        assert (await peer.ask(GET, LEVEL)).payload == b"3"
        peer.close()


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_only_the_given_address_is_listened_on() -> None:
    async with serve() as serving:
        peer = RawPeer(serving.binding.port, "127.0.0.2")
        await peer.request(GET, LEVEL)
        with pytest.raises(ConnectionRefusedError):
            await peer.receive()
        peer.close()
        with socket.create_server(("127.0.0.1", serving.binding.port)):
            pass  # no TCP port is taken


async def test_a_full_send_buffer_is_a_lost_datagram() -> None:
    async with serve() as serving:
        udp: UdpSocket = serving.binding._endpoint._socket  # type: ignore[union-attr]
        with serving.peer() as peer:
            request = await peer.request(GET, LEVEL)
            await peer.receive()
            full = _Full(udp._sock)
            udp._sock = full  # type: ignore[assignment]
            request = await peer.request(GET, LEVEL)
            async with asyncio.timeout(10):
                while not full.refused:
                    await asyncio.sleep(0.01)
            udp._sock = full.real
            await peer.send(request)
            assert (await peer.receive()).payload == b"3"


class _Full:
    """A socket that takes nothing."""

    def __init__(self, real: socket.socket) -> None:
        self.real = real
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def sendmsg(self, *_: Any) -> int:
        self.refused += 1
        raise BlockingIOError


async def test_requests_under_way_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("servient.bindings.coap.endpoint.REQUESTS_LIMIT", 1)
    async with serve() as serving:
        serving.lamp.set_action_handler("toggle", lambda _: asyncio.Event().wait())
        with serving.peer() as peer, serving.peer() as other:
            await peer.request(POST, f"{LAMP}/actions/toggle")
            assert (await peer.receive()).code is EMPTY
            assert problem_of(await other.ask(GET, LEVEL))[0] == "5.03"
