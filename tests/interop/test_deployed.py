"""node-wot consumes what is deployed, and deploys."""

import base64
from typing import Any

import pytest

from servient.app import SERVIENT_THING, App
from tests.files import EXAMPLES, FileServer
from tests.interop.node_wot import (
    Step,
    consume,
    explore,
    invoke,
    observe,
    read,
    subscribe,
    values,
)

# node-wot's client of MQTT hears no answer to what it asks; that of CoAP hears, at first, nothing.
NO_OUTPUT = {"error": "Invalid value according to DataSchema"}
SILENCE = "Error: Invalid value according to DataSchema"


async def deployed(app: App, files: FileServer, example: str) -> dict[str, Any]:
    """The TD of the only module of an example."""
    deployment = await app.deployer.deploy(files.manifest(f"{example}/manifest.json"))
    return app.servient.td(app.servient.exposed(deployment.names()[0]))


def last(name: str, count: int) -> list[Step]:
    """Steps that wait for the value after so many."""
    return [*([values(name, count)] if count else []), values(name)]


@pytest.mark.parametrize("scheme", ["http", "coap", "mqtt"])
async def test_a_function_over_every_protocol(app: App, files: FileServer, scheme: str) -> None:
    silences = 1 if scheme == "coap" else 0
    steps = [
        observe("fibo_result"),
        subscribe("fibo_completed"),
        invoke("fibo", {"iterations": 12}),
    ]
    steps += [*last("fibo_result", silences), *last("fibo_completed", silences)]
    answers = await consume(scheme, await deployed(app, files, "fibonacci"), *steps)
    assert answers[2] == (NO_OUTPUT if scheme == "mqtt" else {"ok": 233})
    heard = [answer["ok"] for answer in answers[3:]]
    assert [value for value in heard if value != [SILENCE]] == [
        [233],
        [{"invocation": "fibonacci-1:fibonacci:fibo:0", "output": 233}],
    ]


async def test_a_function_of_files(app: App, files: FileServer) -> None:
    td = await deployed(app, files, "grayscale")
    image = base64.b64encode(EXAMPLES.joinpath("grayscale/image.ppm").read_bytes()).decode()
    as_bytes = {"as": "bytes"}
    invoked, result = await consume(
        "http",
        td,
        invoke("grayscale", {"image.ppm": image}, **as_bytes),
        read("grayscale_result", **as_bytes),
    )
    assert base64.b64decode(invoked["ok"]).startswith(b"P5\n16 16\n255\n")
    assert result == invoked


async def test_deploys_and_explores(app: App, files: FileServer) -> None:
    url = f"{app.addresses()['http']}/.well-known/wot"
    manifest = files.manifest("fibonacci/manifest.json")
    own, module = app.config.name, "fibonacci (fibonacci-1)"
    made = {"deploymentId": "fibonacci-1", "things": ["fibonacci-1:fibonacci"]}
    assert await consume(
        "http",
        url,
        subscribe("deployed"),
        explore(url),
        invoke("deploy", manifest),
        values("deployed"),
        explore(url),
        invoke("undeploy", {"deploymentId": "fibonacci-1"}),
        explore(url),
    ) == [
        {"ok": None},
        {"ok": [own]},
        {"ok": made},
        {"ok": [made]},
        {"ok": [own, module]},
        {"ok": None},
        {"ok": [own]},
    ]


async def test_deploys_over_mqtt(app: App, files: FileServer) -> None:
    manifest = files.manifest("counter/manifest.json")
    td = app.servient.td(app.servient.exposed(SERVIENT_THING))
    *_, heard = await consume(
        "mqtt", td, subscribe("deployed"), invoke("deploy", manifest), values("deployed")
    )
    assert heard["ok"][0]["deploymentId"] == manifest["deploymentId"]
