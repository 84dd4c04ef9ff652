"""What Prometheus reads at /metrics, as its own library parses it."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_open_metrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from servient.app import App
from servient.config import Config
from servient.wot.entry import WoT
from tests.consumers.coap import CoapConsumer
from tests.consumers.consumer import Consumer, Refused
from tests.consumers.http import HttpConsumer
from tests.consumers.mqtt import MqttConsumer
from tests.consumers.websocket import WebSocketConsumer
from tests.files import FileServer
from tests.security.people import PRINCIPALS, bearer
from tests.things import THING, expose_lamp
from tests.tools import needs

OPEN_METRICS = "application/openmetrics-text"
CONSUMERS: dict[str, Callable[[dict[str, Any]], Consumer]] = {
    "http": HttpConsumer,
    "coap": CoapConsumer,
    "websocket": WebSocketConsumer,
    "mqtt": MqttConsumer,
}
FIBONACCI = "f:fibonacci"
DEADLINE_SECONDS = 30.0

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def read(app: App, headers: dict[str, str] | None = None) -> Samples:
    """The values of all samples by their names, without the prefix, and labels."""
    async with httpx.AsyncClient(base_url=app.addresses()["http"]) as http:
        answer = await http.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name.removeprefix("wasm_servient_"), frozenset(sample.labels.items())): sample.value
        for family in parse_text(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def things(samples: Samples) -> set[str]:
    return {text for _, labels in samples for name, text in labels if name == "thing"}


async def deploy(app: App, files: FileServer, name: str = "f") -> None:
    await app.deployer.deploy(files.manifest("fibonacci/manifest.json", deploymentId=name))


@pytest.mark.parametrize("wire", list(CONSUMERS))
async def test_invocations_are_counted_by_their_wire(
    wire: str, app: App, files: FileServer
) -> None:
    if wire == "mqtt":
        needs("mosquitto")
    await deploy(app, files)
    consumer = CONSUMERS[wire](app.servient.td(app.servient.exposed(FIBONACCI)))
    try:
        assert await consumer.invoke("fibo", {"iterations": 7}) == 21
        with pytest.raises(Refused):
            await consumer.invoke("fibo", {"iterations": "many"})
    finally:
        await consumer.close()
    samples = await read(app)
    of = {"thing": FIBONACCI, "action": "fibo"}
    for outcome in ("completed", "invalid-input"):
        labels = {**of, "protocol": wire, "outcome": outcome}
        assert value(samples, "invocations_total", **labels) == 1
    assert value(samples, "invocation_duration_seconds_count", **of) == 1
    assert 0 < (value(samples, "invocation_duration_seconds_sum", **of) or 0) < 60


async def test_what_runs_and_what_is_kept_is_told(app: App, files: FileServer) -> None:
    await deploy(app, files)
    await deploy(app, files, "again")
    samples = await read(app)
    assert value(samples, "deployments") == 2
    assert value(samples, "things") == 3  # with the servient's own
    assert value(samples, "instances", kind="ordered") == 2
    assert value(samples, "calls_pending", thing=FIBONACCI) == 0
    assert value(samples, "compilations_total", result="compiled") == 1
    assert value(samples, "compilations_total", result="cached") == 1
    assert value(samples, "logs_total", result="dropped") == 0
    assert (value(samples, "process_resident_memory_bytes") or 0) > 2**20
    assert (value(samples, "process_open_fds") or 0) > 3
    assert value(samples, "process_cpu_seconds_total")
    assert value(samples, "event_loop_lag_seconds_count") is not None


@pytest.mark.parametrize("isolated", [False, True], ids=["here", "isolated"])
async def test_what_waits_is_told(
    isolated: bool, settings: Callable[..., Config], files: FileServer
) -> None:
    """Of a module whose calls do not end, one runs and the others wait for it."""
    config = settings(bindings=("http",), isolate_modules=isolated, module_timeout_seconds=60)
    async with App(config) as app:
        await app.deployer.deploy(files.manifest("endless/manifest.json", deploymentId="e"))
        thing = app.servient.exposed("e:endless")
        begun = [thing.start_action("forever") for _ in range(3)]
        async with asyncio.timeout(DEADLINE_SECONDS):
            while value(samples := await read(app), "calls_pending", thing="e:endless") != 3:
                await asyncio.sleep(0.01)
        assert value(samples, "invocations_under_way", thing="e:endless") == 3
        kind = "isolated" if isolated else "ordered"
        assert value(samples, "instances", kind=kind) == 1
        for invocation in begun:
            invocation.cancel()
        async with asyncio.timeout(DEADLINE_SECONDS):
            while value(samples := await read(app), "calls_pending", thing="e:endless") != 0:
                await asyncio.sleep(0.01)
        assert value(samples, "invocations_under_way", thing="e:endless") is None


async def test_subscribers_are_counted_by_their_wire(app: App) -> None:
    thing = expose_lamp(WoT(app.servient))
    for wire in ("http", "coap", "websocket"):
        assert value(await read(app), "subscribers", protocol=wire) == 0
        consumer = CONSUMERS[wire](app.servient.td(thing))
        async with consumer.observe("level"):
            assert (value(await read(app), "subscribers", protocol=wire) or 0) >= 1
        await consumer.close()


async def test_what_is_undeployed_is_told_no_more(app: App, files: FileServer) -> None:
    await deploy(app, files)
    await app.servient.exposed(FIBONACCI).invoke_action("fibo", {"iterations": 7})
    samples = await read(app)
    labels = {"thing": FIBONACCI, "action": "fibo", "protocol": "program", "outcome": "completed"}
    assert value(samples, "invocations_total", **labels) == 1
    await app.deployer.undeploy("f")
    samples = await read(app)
    assert FIBONACCI not in things(samples)
    assert value(samples, "deployments") == 0


async def test_open_metrics_are_to_be_had(app: App, files: FileServer) -> None:
    await deploy(app, files)
    await app.servient.exposed(FIBONACCI).invoke_action("fibo", {"iterations": 7})
    async with httpx.AsyncClient(base_url=app.addresses()["http"]) as http:
        accept = f"{OPEN_METRICS};version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5"
        answer = await http.get("/metrics", headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith(OPEN_METRICS)
    assert answer.headers["Cache-Control"] == "no-store"
    parsed = parse_open_metrics(answer.text)  # type: ignore[no-untyped-call] # the library's
    families = {family.name for family in parsed}
    assert {"wasm_servient_invocations", "wasm_servient_instances"} <= families


async def test_names_that_would_break_the_format_do_not(app: App) -> None:
    name = 'lamp"} 1\n# \\x'
    thing = expose_lamp(WoT(app.servient), name)
    await thing.invoke_action("double", {"number": 2})
    assert name in things(await read(app))


async def test_only_who_may_read_reads_and_of_what_may_be_read(
    settings: Callable[..., Config],
) -> None:
    narrow = {**PRINCIPALS[0], "name": "narrow", "things": "servient"}
    people = [narrow, *PRINCIPALS[1:]]
    async with App(settings(principals=people, bindings=("http",))) as app:
        thing = expose_lamp(WoT(app.servient))
        await thing.invoke_action("double", {"number": 2})
        async with httpx.AsyncClient(base_url=app.addresses()["http"]) as http:
            assert (await http.get("/metrics")).status_code == 401
            for name in ("caller", "deployer"):
                assert (await http.get("/metrics", headers=bearer(name))).status_code == 403
            assert (await http.post("/metrics", headers=bearer("admin"))).status_code == 405
        samples = await read(app, bearer("reader"))
        assert THING not in things(samples)
        assert value(samples, "things") == 2
        assert THING in things(await read(app, bearer("admin")))
