"""Where everything is, over every protocol: read off a running servient."""

import asyncio
import base64
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from docs.generator.markdown import code, codes, page, table
from servient.app import App
from servient.bindings.fixed_paths import fixed_paths
from servient.config import load_config

MODULE = Path(__file__).parents[2] / "examples/counter/counter.wasm"
DEPLOYMENT, FUNCTION = "{deployment}", "increment"
THING = "counter:counter"
PROTOCOLS = {"http": "HTTP", "ws": "WebSockets", "coap": "CoAP", "mqtt": "MQTT"}
# Routes that neither Things nor orchestrators have; each is asked for when the page is written.
OTHERS = {
    "/": "the console, a page for people",
    "/metrics": "figures for Prometheus",
    "/health/live": "whether the process answers",
    "/health/ready": "whether it begins invocations; 503 once it is told to stop",
    "/openapi.json": "this servient as OpenAPI 3.1",
    "/vocabulary": "the terms `wasm:…` as JSON-LD",
}
INTRODUCTION = """\
A Thing's description has all of this in its forms; consumers need no table. `{thing}` is the Thing's name,
`<deployment>:<module>`; hosts, ports and the prefix of topics are left out."""
MORE = """\
Over WebSockets, a connection speaks the Web Thing Protocol (subprotocol `webthingprotocol`) or WoTPy's
JSON-RPC (without one), for all affordances of its Thing. A request over MQTT is also taken at the topic with
an id appended, `…/{request}`, and is then answered below it, as [Over MQTT](../mqtt.md) says."""


def paths() -> str:
    return asyncio.run(_paths())


async def _paths() -> str:
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(port=0, coap_port=0, mqtt_port=0, instance_path=Path(folder))
        async with (
            App(config) as app,
            httpx.AsyncClient(base_url=app.addresses()["http"]) as http,
        ):
            await _deploy(http)
            td = (await http.get(f"/things/{THING}")).raise_for_status().json()
            others = [await _other(http, *each) for each in OTHERS.items()]
    return page(
        "Paths",
        INTRODUCTION,
        f"## Of a Thing\n\n{table(('operation', 'protocol', 'where', 'how'), _forms(td))}",
        MORE,
        f"## Of the servient\n\n{table(('path', 'methods', 'gives'), (*_fixed(), *others))}",
    )


async def _deploy(http: httpx.AsyncClient) -> None:
    binary = base64.b64encode(await asyncio.to_thread(MODULE.read_bytes)).decode()
    urls = {"binary": f"data:application/wasm;base64,{binary}"}
    modules = [{"name": "counter", "urls": urls}]
    answer = await http.post("/deploy", json={"deploymentId": "counter", "modules": modules})
    answer.raise_for_status()


def _forms(td: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """One affordance of each kind stands for all."""
    yield from _rows(td["forms"], "")
    for kind, name in (
        ("properties", f"{FUNCTION}_result"),
        ("actions", FUNCTION),
        ("events", f"{FUNCTION}_completed"),
    ):
        yield from _rows(td[kind][name]["forms"], name)


def _rows(forms: Iterable[Mapping[str, Any]], name: str) -> Iterator[tuple[str, str, str, str]]:
    for form in forms:
        operations = form["op"] if isinstance(form["op"], list) else [form["op"]]
        yield (
            ", ".join(operations),
            PROTOCOLS[urlsplit(form["href"]).scheme],
            code(_where(form["href"], name)),
            code(_how(form)),
        )


def _where(href: str, name: str) -> str:
    parts = urlsplit(href)
    path = parts.path.replace(THING, "{thing}")
    if name:
        path = path.replace(f"/{name}", "/{name}")
    if parts.scheme == "mqtt":
        return path.replace("/wasm-servient/servient/", "…/")
    return path


def _how(form: Mapping[str, Any]) -> str:
    method = form.get("htv:methodName") or form.get("cov:method") or form.get("mqv:controlPacket")
    given = (
        method or "",
        form.get("subprotocol", ""),
        "retained" if form.get("mqv:retain") else "",
    )
    return ", ".join(each for each in given if each)


def _fixed() -> Iterator[tuple[str, str, str]]:
    for path, item in fixed_paths().items():
        methods = {name: each for name, each in item.items() if name != "parameters"}
        meant = dict.fromkeys(str(each["summary"]).rstrip(".") for each in methods.values())
        yield code(path), codes(name.upper() for name in methods), "; ".join(meant)


async def _other(http: httpx.AsyncClient, path: str, means: str) -> tuple[str, str, str]:
    answer = await http.get(path)
    if answer.status_code != httpx.codes.OK:
        raise LookupError(f"{path} gives {answer.status_code}")
    return code(path), code("GET"), means
