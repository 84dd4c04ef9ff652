"""The catalogue that WoTPy's programs ask for."""

import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from servient.wot.servient import Servient
from tests.wot.documents import td, worker


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
        return found


@pytest.fixture
async def servient(port: int) -> AsyncIterator[Servient]:
    running = Servient(catalogue_port=port)
    await running.start()
    yield running
    await running.shutdown()


@pytest.fixture
async def client(servient: Servient, port: int) -> AsyncIterator[httpx.AsyncClient]:
    origin = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=origin, trust_env=False, timeout=20) as client:
        yield client


async def test_it_has_what_is_exposed_as_it_was_given(
    servient: Servient, client: httpx.AsyncClient
) -> None:
    wot = await servient.start()
    untyped = {"type": "object", "properties": {"untyped": {"wasm:unit": 1}}}
    thing = wot.produce(td("Übung 1", id="urn:test:1", properties={"p": untyped}), "a b")
    wot.produce(worker())
    assert (await client.get("/")).json() == {}
    thing.expose()
    assert (await client.get("/")).json() == {"Übung 1": "/a b"}
    expanded = (await client.get("/", params={"expanded": "true"})).json()
    assert expanded == {"Übung 1": servient.td(thing)}
    for path in ("/a%20b", "/a%20b/", "/urn:test:1", "/%C3%9Cbung%201"):
        answer = await client.get(path)
        assert answer.headers["content-type"] == "application/td+json"
        assert answer.json() == servient.td(thing)
        assert answer.json()["properties"]["p"]["properties"] == untyped["properties"]


@pytest.mark.parametrize("path", ["/x", "/worker", "/%2e%2e", "/" + "x" * 10_000])
async def test_what_is_not_there_is_not_found(
    servient: Servient, client: httpx.AsyncClient, path: str
) -> None:
    (await servient.start()).produce(worker())
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


async def test_it_stops_with_the_servient(servient: Servient, client: httpx.AsyncClient) -> None:
    assert (await client.get("/")).status_code == 200
    await servient.shutdown()
    with pytest.raises(httpx.TransportError):
        await client.get("/")


async def test_a_port_that_is_taken_stops_the_start(servient: Servient, port: int) -> None:
    second = Servient(catalogue_port=port)
    with pytest.raises(OSError, match="in use"):
        await second.start()
    assert not second.is_running
