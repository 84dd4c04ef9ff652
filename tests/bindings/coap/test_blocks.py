"""Block-wise transfers, as RFC 7959 has them and as hostile clients do."""

import asyncio
import json
from typing import Any

import pytest
from aiocoap import GET, POST, PUT, Message

from servient.bindings.coap import blocks
from servient.wot.content import Content
from tests.bindings.coap.serving import JSON, LAMP, RawPeer, Serving, problem_of, serve

PNG = 23
ECHO = f"{LAMP}/actions/echo"
LIMIT_BYTES = 4096


async def test_a_megabyte_both_ways(serving: Serving) -> None:
    image = bytes(range(256)) * 4096
    response = await serving.ask(POST, f"{LAMP}/actions/invert", image, content_format=PNG)
    assert response.code.dotted == "2.04"
    assert response.opt.content_format == PNG
    assert response.payload == bytes(255 - byte for byte in image)


async def test_fetching_an_output_does_not_run_the_action_again(serving: Serving) -> None:
    runs = 0

    async def count(_: Any) -> str:
        nonlocal runs
        runs += 1
        return "x" * 5000

    serving.lamp.set_action_handler("toggle", count)
    response = await serving.ask(POST, f"{LAMP}/actions/toggle")
    assert len(json.loads(response.payload)) == 5000
    assert runs == 1


async def test_an_output_that_is_not_kept_any_more(serving: Serving) -> None:
    with serving.peer() as peer:
        response = await peer.ask(POST, f"{LAMP}/actions/toggle", block2=(3, False, 6))
        assert problem_of(response)[0] == "4.08"


async def test_a_block_beyond_the_end(serving: Serving) -> None:
    with serving.peer() as peer:
        path = f"{LAMP}/properties/level"
        assert problem_of(await peer.ask(GET, path, block2=(1, False, 6)))[0] == "4.08"
        assert problem_of(await peer.ask(GET, LAMP, block2=(1 << 18, False, 6)))[0] == "4.08"


async def test_a_client_that_wants_small_blocks(serving: Serving) -> None:
    serving.lamp.set_property("settings", {"error": "x" * 100})
    body = b""
    with serving.peer() as peer:
        for number in range(100):
            part = await peer.ask(GET, f"{LAMP}/properties/settings", block2=(number, False, 0))
            assert (part.opt.block2.block_number, part.opt.block2.size) == (number, 16)
            body += part.payload
            if not part.opt.block2.more:
                break
    assert json.loads(body) == {"error": "x" * 100}
    assert number == (len(body) - 1) // 16


async def upload(peer: RawPeer, body: bytes, path: str = ECHO, size: int = 1024) -> Message:
    """Send a body block by block; returns the first response that does not ask for more."""
    exponent = (size // 16).bit_length() - 1
    for start in range(0, len(body), size):
        part = body[start : start + size]
        block = (start // size, start + size < len(body), exponent)
        response = await peer.ask(POST, path, payload=part, block1=block, content_format=JSON)
        if response.code.dotted != "2.31":
            break
        assert tuple(response.opt.block1) == block
    return response


def an_object(size: int) -> bytes:
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


@pytest.mark.parametrize("size", [16, 256, 1024])
async def test_blocks_of_any_size(serving: Serving, size: int) -> None:
    body = an_object(1000)
    with serving.peer() as peer:
        response = await upload(peer, body, size=size)
        assert response.code.dotted == "2.04"
        assert response.payload == body
        number = (len(body) - 1) // size
        assert tuple(response.opt.block1)[:2] == (number, False)


async def test_the_limit_holds_while_blocks_arrive() -> None:
    async with serve(body_limit_bytes=LIMIT_BYTES) as serving:
        with serving.peer() as peer:
            assert (await upload(peer, an_object(LIMIT_BYTES))).code.dotted == "2.04"
            for number in range(5):
                response = await peer.ask(
                    POST, ECHO, payload=b"x" * 1024, block1=(number, True, 6), content_format=JSON
                )
                assert response.code.dotted == ("2.31" if number < 4 else "4.13")
            assert problem_of(response)[0] == "4.13"
            # What was sent is forgotten, and the next body is taken.
            response = await peer.ask(POST, ECHO, payload=b"x", block1=(5, False, 6))
            assert problem_of(response)[0] == "4.08"
            assert (await upload(peer, an_object(LIMIT_BYTES))).code.dotted == "2.04"


async def test_a_size_over_the_limit_is_refused_when_it_is_announced() -> None:
    async with serve(body_limit_bytes=LIMIT_BYTES) as serving:
        with serving.peer() as peer:
            response = await peer.ask(
                POST, ECHO, payload=b"x" * 1024, block1=(0, True, 6), size1=LIMIT_BYTES + 1
            )
            assert problem_of(response)[0] == "4.13"
            response = await peer.ask(POST, ECHO, payload=b"x" * 5000, content_format=JSON)
            assert problem_of(response)[0] == "4.13"
        response = await serving.ask(POST, ECHO, an_object(LIMIT_BYTES + 1))
        assert problem_of(response)[0] == "4.13"


async def test_blocks_out_of_order(serving: Serving) -> None:
    with serving.peer() as peer:
        response = await peer.ask(POST, ECHO, payload=b"x" * 16, block1=(1, True, 0))
        assert problem_of(response)[0] == "4.08"
        await peer.ask(POST, ECHO, payload=b"x" * 16, block1=(0, True, 0))
        response = await peer.ask(POST, ECHO, payload=b"x" * 16, block1=(2, True, 0))
        assert problem_of(response)[0] == "4.08"


async def test_a_block_of_another_size_than_it_says(serving: Serving) -> None:
    with serving.peer() as peer:
        response = await peer.ask(POST, ECHO, payload=b"x" * 15, block1=(0, True, 0))
        assert problem_of(response)[0] == "4.00"
        response = await peer.ask(POST, ECHO, payload=b"x", block1=(0, True, 7))
        assert problem_of(response)[0] == "4.00"


async def test_uploads_do_not_mix(serving: Serving) -> None:
    """Two clients, and two bodies of one client with different tags, at the same time."""
    ours, theirs = an_object(2048), b'{"b":"' + b"y" * 2040 + b'"}'
    with serving.peer() as peer, serving.peer() as other:
        a, b = await asyncio.gather(upload(peer, ours), upload(other, theirs))
        assert b"y" not in a.payload
        assert b"x" not in b.payload
        first = {"content_format": JSON, "request_tag": [b"1"]}
        second = {"content_format": JSON, "request_tag": [b"2"]}
        for number, options in ((0, first), (0, second), (1, first), (1, second)):
            body = ours if options is first else theirs
            part = body[number * 1024 : (number + 1) * 1024]
            block = (number, number == 0, 6)
            response = await peer.ask(POST, ECHO, payload=part, block1=block, **options)
            assert response.code.dotted == ("2.31" if number == 0 else "2.04")


async def test_unfinished_uploads_take_a_bounded_room() -> None:
    async with serve(body_limit_bytes=LIMIT_BYTES) as serving:
        uploads = serving.binding._site._uploads  # type: ignore[union-attr]
        with serving.peer() as peer:
            for number in range(200):
                response = await peer.ask(
                    PUT, f"/{number}", payload=b"x" * 1024, block1=(0, True, 6)
                )
                assert response.code.dotted == "2.31"
            assert len(uploads._bodies) <= blocks.BODIES_LIMIT * LIMIT_BYTES // 1024
            assert (await upload(peer, an_object(3000))).code.dotted == "2.04"


async def test_a_large_value_is_observed_by_blocks(serving: Serving) -> None:
    """Values that change while one is fetched: each that arrives is whole, the last arrives."""
    pictures = [bytes([number]) * 20_000 for number in range(1, 6)]
    serving.lamp.set_property("picture", Content(b"\0" * 20_000, "image/png"))
    uri = f"{serving.binding.origin}{LAMP}/properties/picture"
    async with serving.client() as client, asyncio.timeout(20):
        request = client.request(Message(code=GET, uri=uri, observe=0))
        assert (await request.response).payload == b"\0" * 20_000
        for picture in pictures:
            serving.lamp.set_property("picture", Content(picture, "image/png"))
            await asyncio.sleep(0)
        async for notification in request.observation:
            assert notification.code.is_successful()
            assert notification.payload in pictures
            if notification.payload == pictures[-1]:
                break
        request.observation.cancel()


async def test_an_observer_that_does_not_fetch_gets_the_next_value(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "PAUSE_SECONDS", 0.1)
    path = f"{LAMP}/properties/picture"
    with serving.peer() as peer:
        await peer.ask(GET, path, observe=0)
        for number in range(3):
            serving.lamp.set_property("picture", Content(bytes([number]) * 3000, "image/png"))
            notification = await peer.receive()
            assert notification.payload == bytes([number]) * 1024
            assert notification.opt.block2.more
            assert notification.opt.size2 == 3000
            await peer.acknowledge(notification)
        await peer.ask(GET, path, observe=1, block2=(0, False, 6))


async def test_a_large_refusal_comes_in_blocks(serving: Serving) -> None:
    faults = [{"pointer": f"/{number}", "detail": "x" * 100} for number in range(20)]
    response = await serving.ask(POST, f"{LAMP}/actions/double", json.dumps(faults).encode())
    assert problem_of(response)[0] == "4.00"
