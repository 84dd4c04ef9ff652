"""Traces as a collector of OpenTelemetry gets them, from the wire to WebAssembly and along chains."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from servient.app import App
from servient.config import Config, ConfigError, load_config
from tests.consumers.coap import CoapConsumer
from tests.consumers.http import HttpConsumer
from tests.consumers.mqtt import MqttConsumer
from tests.consumers.websocket import WebSocketConsumer
from tests.deployment.chains import Machines
from tests.files import FileServer
from tests.orchestrator import uploads
from tests.telemetry.otlp import Collector, Received, collector
from tests.things import TD
from tests.tools import needs

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STOP_SECONDS = 30.0


@pytest.fixture
async def collecting() -> AsyncIterator[Collector]:
    async with collector() as running:
        yield running


async def run_chain(
    one: App, other: App, files: FileServer, headers: dict[str, str] | None = None
) -> None:
    """Two steps, each on a machine of its own; fibo(fibo(7)) is told by the second."""
    async with httpx.AsyncClient(timeout=30, headers=headers) as http:
        machines = Machines(http, files)
        first, second = (uploads.fibo(f"fibo{number}", f"fibo{number}") for number in (1, 2))
        here, there = one.addresses()["http"], other.addresses()["http"]
        url = await machines.chain((first, "fibo", here), (second, "fibo", there))
        assert await machines.value(url, param0=7)


def servers(collecting: Collector) -> dict[str, Received]:
    """The spans of the chain's steps by the services that they are of."""
    return {span.service: span for span in collecting.named("invokeaction fibo")}


@pytest.mark.parametrize("is_begun", [True, False], ids=["begun by the client", "begun here"])
async def test_a_chain_over_two_servients_is_one_trace(
    is_begun: bool,
    settings: Callable[..., Config],
    tmp_path: Path,
    files: FileServer,
    collecting: Collector,
) -> None:
    common = {"bindings": ("http",), "otlp_endpoint": collecting.url}
    first = settings(**common, name="first", instance_path=tmp_path / "first")
    second = settings(**common, name="second", instance_path=tmp_path / "second")
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01"} if is_begun else {}
    async with App(first) as one, App(second) as other:
        await run_chain(one, other, files, headers)
    spans = servers(collecting)
    begun, next_one = spans["first"], spans["second"]
    assert begun.trace == next_one.trace
    assert (begun.trace == TRACE) is is_begun
    assert begun.parent == (SPAN if is_begun else "")
    step = next(iter(collecting.below(begun)[name] for name in ("step",)))
    assert next_one.parent == step.id
    for span in (begun, next_one):
        below = collecting.below(span)
        assert {"validation", "queue", "wasm"} <= set(below)
        assert all(each.nanoseconds <= span.nanoseconds for each in below.values())
        assert span.attributes["network.protocol.name"] == "http"
        assert not span.has_failed


async def test_a_step_on_the_same_servient_is_in_the_trace(
    settings: Callable[..., Config], files: FileServer, collecting: Collector
) -> None:
    async with App(settings(bindings=("http",), otlp_endpoint=collecting.url)) as app:
        await run_chain(app, app, files)
    first, second = sorted(collecting.named("invokeaction fibo"), key=lambda span: span.parent)
    assert first.trace == second.trace
    assert second.parent == collecting.below(first)["step"].id
    assert second.attributes["network.protocol.name"] == "chain"


async def test_what_is_not_sampled_is_not_traced_anywhere(
    settings: Callable[..., Config], tmp_path: Path, files: FileServer, collecting: Collector
) -> None:
    common = {"bindings": ("http",), "otlp_endpoint": collecting.url}
    async with (
        App(settings(**common, instance_path=tmp_path / "first")) as one,
        App(settings(**common, instance_path=tmp_path / "second")) as other,
    ):
        await run_chain(one, other, files, {"traceparent": f"00-{TRACE}-{SPAN}-00"})
    assert collecting.named("invokeaction fibo") == []


async def test_every_wire_begins_a_trace(
    settings: Callable[..., Config], files: FileServer, collecting: Collector
) -> None:
    needs("mosquitto")
    async with App(settings(otlp_endpoint=collecting.url)) as app:
        await app.deployer.deploy(files.manifest("fibonacci/manifest.json", deploymentId="f"))
        td = app.servient.td(app.servient.exposed("f:fibonacci"))
        for make in (HttpConsumer, CoapConsumer, WebSocketConsumer, MqttConsumer):
            consumer = make(td)
            for _ in range(2):  # once it is known to be quick, it runs where it is called
                assert await consumer.invoke("fibo", {"iterations": 7}) == 21
            await consumer.close()
    found = collecting.named("invokeaction fibo")
    wires = [span.attributes["network.protocol.name"] for span in found]
    assert sorted(wires[::2]) == ["coap", "http", "mqtt", "websocket"]
    assert len({span.trace for span in found}) == 8
    assert all({"validation", "queue", "wasm"} == set(collecting.below(span)) for span in found)
    assert all(span.attributes["wot.invocation"].startswith("f:fibonacci:fibo:") for span in found)


async def test_what_ends_where_it_begins_has_a_span_too(
    settings: Callable[..., Config], collecting: Collector
) -> None:
    """As handlers of programs do, which are plain functions."""
    async with App(settings(bindings=("http",), otlp_endpoint=collecting.url)) as app:
        thing = app.wot.produce({**TD, "title": "A lamp", "id": "urn:test:lamp"}, "lamp")
        thing.set_action_handler("double", lambda value: 2 * value["number"])
        thing.expose()
        async with httpx.AsyncClient(base_url=app.addresses()["http"]) as http:
            answer = await http.post("/things/lamp/actions/double", json={"number": 4})
            assert answer.json() == 8
    (span,) = collecting.named("invokeaction double")
    assert not span.has_failed
    assert set(collecting.below(span)) == {"validation"}


@pytest.mark.parametrize(
    ("example", "isolated"), [("endless", False), ("endless", True)], ids=["here", "isolated"]
)
async def test_a_failure_is_told_where_it_happened(
    example: str,
    isolated: bool,
    settings: Callable[..., Config],
    files: FileServer,
    collecting: Collector,
) -> None:
    config = settings(bindings=("http",), otlp_endpoint=collecting.url, isolate_modules=isolated)
    async with App(config) as app, httpx.AsyncClient(base_url=app.addresses()["http"]) as http:
        await app.deployer.deploy(files.manifest(f"{example}/manifest.json", deploymentId="t"))
        await http.post("/things/t:endless/actions/trap")
        await http.post("/things/t:endless/actions/trap", content=b"{")
    trapped, refused = collecting.named("invokeaction trap")
    below = collecting.below(trapped)
    assert trapped.has_failed
    assert trapped.attributes["error.type"] == below["wasm"].attributes["error.type"]
    assert trapped.attributes["error.type"] == "module-trapped"
    assert not below["queue"].has_failed
    assert collecting.below(refused)["validation"].has_failed
    assert "wasm" not in collecting.below(refused)


async def test_a_collector_that_is_away_is_in_nobodys_way(
    settings: Callable[..., Config], files: FileServer
) -> None:
    async with asyncio.timeout(STOP_SECONDS):
        async with App(settings(bindings=("http",), otlp_endpoint="http://127.0.0.1:9")) as app:
            await app.deployer.deploy(files.manifest("fibonacci/manifest.json", deploymentId="f"))
            thing = app.servient.exposed("f:fibonacci")
            assert await thing.invoke_action("fibo", {"iterations": 7}) == 21


async def test_without_the_extra_it_is_an_error_at_the_start(
    settings: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "servient.telemetry.traces", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.context", None)
    with pytest.raises(ConfigError, match=r"otlp_endpoint: .* pip install 'wasm-servient\[otel\]'"):
        async with App(settings(bindings=("http",), otlp_endpoint="http://127.0.0.1:9")):
            pass


def test_the_variable_of_opentelemetry_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    assert load_config().otlp_endpoint == "http://collector:4318"


@pytest.mark.parametrize("address", ["collector:4318", "ftp://collector", "http://"])
def test_what_is_no_address_is_refused(address: Any) -> None:
    with pytest.raises(ConfigError, match="otlp_endpoint"):
        load_config(otlp_endpoint=address)
