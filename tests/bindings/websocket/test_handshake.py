"""Who gets a socket, and what the others are told."""

import asyncio
import socket

import httpx
import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from servient.bindings.websocket.binding import WebSocketBinding
from servient.wot.servient import Servient
from tests.bindings.websocket.serving import LAMP_ID, WEB_THING, Served, ask, rpc, serving
from tests.things import THING, expose_lamp


async def refused(url: str, subprotocols: list[str] | None = None) -> httpx.Response:
    with pytest.raises(InvalidStatus) as error:
        await connect(url, subprotocols=subprotocols, proxy=None)  # type: ignore[arg-type] # a NewType
    response = error.value.response
    headers = list(response.headers.raw_items())
    return httpx.Response(
        response.status_code, headers=headers, content=bytes(response.body or b"")
    )


async def test_an_unknown_thing_is_not_found(served: Served) -> None:
    response = await refused(served.url + "0")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "urn:wasm-servient:problem:not-found"
    assert response.json()["instance"] == f"/things/{THING}0"


@pytest.mark.parametrize("path", ["/", "/things", "/things/", "/things/a/b", "/%ff", "/things/%ff"])
async def test_other_paths_are_not_found(served: Served, path: str) -> None:
    response = await refused(f"ws://127.0.0.1:{served.binding.port}{path}")
    assert response.status_code in (400, 404)
    assert response.json()["status"] == response.status_code


async def test_the_thing_is_also_found_by_its_id(served: Served) -> None:
    async with connect(served.url.replace(THING, LAMP_ID), proxy=None) as client:
        assert (await ask(client, rpc("read_property", name="level")))["result"] == 3


async def test_names_are_percent_encoded(served: Served) -> None:
    thing = expose_lamp(served.wot, "ein licht/ü?#%41")
    href = served.servient.td(thing)["properties"]["level"]["forms"][0]["href"]
    assert "/things/ein%20licht%2F%C3%BC%3F%23%2541" in href
    async with connect(href, proxy=None) as client:
        assert (await ask(client, rpc("read_property", name="level")))["result"] == 3


async def test_plain_http_is_told_to_upgrade(served: Served) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.get(served.url.replace("ws:", "http:"))
        assert (response.status_code, response.headers["upgrade"]) == (426, "websocket")
        assert response.json()["title"] == "Upgrade required"
        response = await client.post(served.url.replace("ws:", "http:"))
        assert response.status_code == 426


async def test_the_subprotocol_is_negotiated(served: Served) -> None:
    async with served.connected(WEB_THING) as client:
        assert client.subprotocol == WEB_THING
    async with served.connected() as client:
        assert client.subprotocol is None
    response = await refused(served.url, ["mqtt", "graphql-ws"])
    assert response.status_code == 400
    assert "webthingprotocol" in response.json()["detail"]


async def test_pages_of_other_origins_may_connect(served: Served) -> None:
    async with served.connected(origin="https://console.example") as client:
        assert (await ask(client, rpc("read_property", name="level")))["result"] == 3


async def test_connections_are_limited() -> None:
    async with serving(connection_limit=1) as served, served.connected():
        response = await refused(served.url)
        assert response.status_code == 503


async def test_only_the_given_address_is_listened_on(served: Served) -> None:
    with socket.socket() as other:
        other.settimeout(5)
        with pytest.raises(OSError):
            other.connect(("127.0.0.2", served.binding.port))


async def test_a_port_that_is_taken_is_an_error(served: Served) -> None:
    servient = Servient()
    servient.add_server(WebSocketBinding("127.0.0.1", "127.0.0.1", served.binding.port))
    with pytest.raises(OSError):
        await servient.start()


async def test_base_urls() -> None:
    binding = WebSocketBinding("::1", "::1", 8080)
    assert binding.build_base_url("::1", None) == "ws://[::1]:8080"


def test_uvloop_serves_as_well() -> None:
    async def story() -> None:
        async with serving() as served, served.connected() as client:
            answer = await ask(
                client, rpc("invoke_action", name="double", parameters={"number": 4})
            )
            assert answer["result"] == 8
        assert asyncio.all_tasks() == {asyncio.current_task()}

    uvloop.run(story())
