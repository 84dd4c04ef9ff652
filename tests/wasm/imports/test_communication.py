"""`communication.rpcCall`: only to configured targets, and never longer than the deadline."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from servient.errors import ActionFailed, DeadlineExceeded, ModuleTrapped, ServientError
from servient.wasm.imports.communication import Communication
from tests.wasm.conftest import call
from tests.wasm.imports.conftest import Run

RPC = """
(module
  (import "communication" "rpcCall" (func $call (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "eye") (data (i32.const 8) "\\ff\\d8 a picture") (data (i32.const 100) "\\ff")
  (func (export "send") (call $call (i32.const 0) (i32.const 3) (i32.const 8) (i32.const 12)))
  (func (export "call") (param i32 i32 i32 i32)
    (call $call (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
"""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Peer:
    """A server that keeps what it is sent, answers with `answer`, and may drip it."""

    def __init__(self) -> None:
        self.url = ""
        self.answer = OK
        self.pause_seconds = 0.0
        self.requests: list[bytes] = []
        self.tasks: set[asyncio.Task[None] | None] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.current_task())
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            self.requests.append(head + await reader.readexactly(length))
            for byte in self.answer:
                writer.write(bytes([byte]))
                if self.pause_seconds:
                    await writer.drain()
                    await asyncio.sleep(self.pause_seconds)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    server = await asyncio.start_server(peer.handle, "127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/1/modules/eye/look"
    yield peer
    server.close()
    for task in filter(None, peer.tasks):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_data_arrive_as_a_file(run: Run, peer: Peer) -> None:
    async with run(RPC, Communication({"eye": peer.url})) as instance:
        await call(instance, "send")
    (request,) = peer.requests
    assert request.startswith(b"POST /1/modules/eye/look HTTP/1.1\r\n")
    assert b"multipart/form-data" in request
    assert b'Content-Disposition: form-data; name="img"; filename="img"\r\n' in request
    assert b"\r\n\r\n\xff\xd8 a picture\r\n" in request


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 500 No\r\n\r\n", "target 'eye' answered with status 500"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "target 'eye' answered with status 302"),
        (b"SSH-2.0\r\n", "target 'eye' cannot be reached: "),
        (b"", "target 'eye' cannot be reached: "),
    ],
)
async def test_an_answer_without_success_is_a_failure(
    run: Run, peer: Peer, answer: bytes, reason: str
) -> None:
    peer.answer = answer
    async with run(RPC, Communication({"eye": peer.url})) as instance:
        with pytest.raises(ActionFailed, match=f"failed in communication.rpcCall: {reason}"):
            await call(instance, "send")
    assert len(peer.requests) == 1


async def test_a_target_that_is_not_there(run: Run) -> None:
    async with run(RPC, Communication({"eye": "http://127.0.0.1:9/"})) as instance:
        with pytest.raises(ActionFailed, match="target 'eye' cannot be reached"):
            await call(instance, "send")


async def test_only_configured_targets_are_called(run: Run, peer: Peer) -> None:
    async with run(RPC, Communication({"nose": peer.url})) as instance:
        with pytest.raises(ActionFailed, match=r"no target 'eye'.*setting `rpc_targets`"):
            await call(instance, "send")
    assert peer.requests == []


@pytest.mark.parametrize(
    ("arguments", "error", "reason"),
    [
        ((0, 3, 65530, 7), ModuleTrapped, "7 bytes at 65530 are outside"),
        ((0, 3, -1, -1), ModuleTrapped, "are outside its memory"),
        ((65535, 3, 0, 0), ModuleTrapped, "3 bytes at 65535 are outside"),
        ((100, 1, 0, 0), ModuleTrapped, "not UTF-8"),
        ((0, -1, 0, 0), ActionFailed, "no target has a name of 4294967295 bytes"),
    ],
)
async def test_hostile_arguments(
    run: Run, peer: Peer, arguments: tuple[int, ...], error: type[ServientError], reason: str
) -> None:
    async with run(RPC, Communication({"eye": peer.url})) as instance:
        with pytest.raises(error, match=reason):
            await call(instance, "call", *arguments)
    assert peer.requests == []


@pytest.mark.parametrize("answer", [OK * 10, b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000])
async def test_a_peer_that_drips_is_left_at_the_deadline(
    run: Run, peer: Peer, answer: bytes
) -> None:
    peer.answer, peer.pause_seconds = answer, 0.05
    async with run(RPC, Communication({"eye": peer.url})) as instance:
        with pytest.raises(DeadlineExceeded, match=r"did not end within 0\.4 s"):
            await call(instance, "send", deadline_seconds=0.4)


async def test_closing_ends_a_call_to_a_silent_peer(run: Run, peer: Peer) -> None:
    peer.pause_seconds = 60
    async with run(RPC, Communication({"eye": peer.url})) as instance:
        waiting = asyncio.create_task(call(instance, "send", deadline_seconds=60))
        while not peer.requests:
            await asyncio.sleep(0.01)
    with pytest.raises(ServientError, match="was removed"):
        await waiting
