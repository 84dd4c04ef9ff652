"""node-wot consumes every example over every protocol that it speaks."""

import base64
import json
from collections.abc import AsyncIterator, Callable, Sequence
from types import EllipsisType
from typing import Any

import pytest

from servient.app import App
from servient.config import Config
from tests.files import EXAMPLES, FileServer
from tests.interop.calls import Call, calls_of, wrong_inputs
from tests.interop.node_wot import (
    Answer,
    Step,
    consume_all,
    invoke,
    observe,
    read,
    stop,
    subscribe,
    values,
    write,
)

NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/manifest.json"))
JPEG = b"\xff\xd8"

TD = dict[str, Any]


@pytest.fixture
async def app(settings: Callable[..., Config]) -> AsyncIterator[App]:
    changes = {"module_timeout_seconds": 2.0, "camera_source": "test-picture"}
    async with App(settings(**changes)) as running:
        yield running


async def deploy_all(app: App, files: FileServer) -> dict[str, TD]:
    """The TD of each example by its name."""
    found = {}
    for name in NAMES:
        deployed = await app.deployer.deploy(files.manifest(f"{name}/manifest.json"))
        found[name] = app.servient.td(app.servient.exposed(deployed.names()[0]))
    return found


def is_file(td: TD, action: str) -> bool:
    output = td["actions"][action].get("output", {})
    return bool(output.get("contentEncoding") == "base64")


def options_of(scheme: str, affordance: TD, operation: str) -> Step:
    """How to ask for a file: as its bytes; over CoAP as base64, node-wot knows few numbers of types."""
    if scheme != "coap":
        return {"as": "bytes"}
    for index, form in enumerate(affordance["forms"]):
        if "cov:accept" in form and operation in form["op"]:
            return {"form": index}
    raise LookupError(f"no form for {operation} in JSON")


def step_of(scheme: str, td: TD, call: Call) -> Step:
    wants_file = is_file(td, call.action) and (not call.fails or scheme == "coap")
    action = td["actions"][call.action]
    options = options_of(scheme, action, "invokeaction") if wants_file else {}
    return invoke(call.action, *call.inputs, **options)


def is_silent(scheme: str, td: TD, call: Call) -> bool:
    """Whether node-wot does not tell: over CoAP it looks at no code, and at no body without a schema."""
    return scheme == "coap" and "output" not in td["actions"][call.action]


def judge(call: Call, answer: Answer) -> bool:
    """Whether an answer is what is expected of a call."""
    if call.fails:
        said = json.dumps(answer)
        return "urn:wasm-servient:problem:" in said or answer.get("error", "")[7:13] == "error:"
    if isinstance(call.output, float):  # some are of 32 bits
        return bool(answer["ok"] == pytest.approx(call.output))
    if "error" in answer or not isinstance(call.output, bytes | EllipsisType):
        return answer == {"ok": call.output}
    body = base64.b64decode(answer["ok"])
    return body == call.output or (call.output is ... and body.startswith(JPEG))


def first_of(calls: Sequence[Call], td: TD) -> Call:
    """The first call that gives something."""
    return next(call for call in calls if not call.fails and "output" in td["actions"][call.action])


@pytest.mark.parametrize("scheme", ["http", "coap"])
async def test_all_functions_of_all_examples(app: App, files: FileServer, scheme: str) -> None:
    tds = await deploy_all(app, files)
    stories = {name: [*calls_of(name, td), *wrong_inputs(td)] for name, td in tds.items()}
    assert all(stories.values())
    answers = await consume_all(
        scheme,
        *((td, [step_of(scheme, td, call) for call in stories[name]]) for name, td in tds.items()),
    )
    wrong = [
        (scheme, name, call, answer)
        for name, story in zip(NAMES, answers, strict=True)
        for call, answer in zip(stories[name], story, strict=True)
        if not judge(call, answer) and not is_silent(scheme, tds[name], call)
    ]
    assert wrong == []


def is_unheard(scheme: str, call: Call) -> bool:
    """node-wot's CoAP loses a notification that comes in blocks, unless it is the first: the last of
    the blocks has no option Observe (RFC 7959 section 3.4).
    """
    return scheme == "coap" and call.output is ...


def followed(scheme: str, td: TD, call: Call) -> list[Step]:
    """Observe the result and subscribe to the event of a call, make it, and read what came of it."""
    action = td["actions"][call.action]
    result, completed = action["wasm:resultProperty"], action["wasm:completedEvent"]
    reading: Step = {}
    observing: Step = {}
    if is_file(td, call.action):
        reading = options_of(scheme, td["properties"][result], "readproperty")
        observing = options_of(scheme, td["properties"][result], "observeproperty")
    # The first notification over CoAP is that there is no value yet, and no event.
    silences = [values(result), values(completed)] if scheme == "coap" else []
    return [
        read("generation"),
        {**observe(result), **observing},
        subscribe(completed),
        *silences,
        step_of(scheme, td, call),
        *([] if is_unheard(scheme, call) else [values(result)]),
        values(completed),
        stop(result),
        read(result, **reading),
        write("generation", 7),
        read("generation"),
    ]


@pytest.mark.parametrize("scheme", ["http", "coap", "mqtt"])
async def test_results_of_all_examples(app: App, files: FileServer, scheme: str) -> None:
    tds = await deploy_all(app, files)
    calls = {name: first_of(calls_of(name, td), td) for name, td in tds.items()}
    stories = await consume_all(
        scheme, *((td, followed(scheme, td, calls[name])) for name, td in tds.items())
    )
    for name, answers in zip(NAMES, stories, strict=True):
        call = calls[name]
        *begun, events, stopped, last, written, after = answers
        assert begun[:3] == [{"ok": 0}, {"ok": None}, {"ok": None}], name
        if not is_unheard(scheme, call):
            assert judge(call, {"ok": begun.pop()["ok"][0]}), name
        assert f":{call.action}:" in events["ok"][0]["invocation"], name
        assert stopped == {"ok": None}
        assert judge(call, last), name
        assert ("error" in written, after) == (True, {"ok": 0}), name
        if scheme != "mqtt":  # where nobody answers
            assert judge(call, begun.pop()), name
