"""Deployed programs as actions: command lines over HTTP, what they print, files, exit codes."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import wasmtime

from servient.app import App
from servient.config import Config, ConfigError, load_config
from servient.errors import ManifestRejected
from tests.files import FileServer
from tests.wasm.test_programs import PROGRAM

ONLY_PROGRAM = PROGRAM[: PROGRAM.index('  (func (export "count")')] + ")"


@pytest.fixture
async def http(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as client:
        yield client


def manifest(files: FileServer, text: str = ONLY_PROGRAM, **module: Any) -> dict[str, Any]:
    files.files["/echo.wasm"] = bytes(wasmtime.wat2wasm(text))
    entry = {"name": "echo", "urls": {"binary": f"{files.origin}/echo.wasm"}, **module}
    return {"deploymentId": "p", "modules": [entry]}


RUN = "/things/p:echo/actions/run"


async def test_a_program_without_a_description(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    await app.deployer.deploy(manifest(files))
    action = (await http.get("/things/p:echo")).json()["actions"]
    assert list(action) == ["run"]
    assert action["run"]["input"]["properties"].keys() == {"arguments", "stdin"}
    assert "required" not in action["run"]["input"]
    answer = await http.post(RUN, json={"arguments": ["r", "two words"], "stdin": "ä\n"})
    assert answer.json() == "\nmodule\0r\0two words\0\nä\n\n"
    assert (await http.post(RUN)).json() == "\nmodule\0\n\n"
    form: dict[str, Any] = {
        "arguments": (None, '["r"]'),
        "stdin": ("text.txt", "from a file", "text/plain"),
    }
    assert (await http.post(RUN, files=form)).json() == "\nmodule\0r\0\nfrom a file\n"
    assert (await http.get("/things/p:echo/properties/run_result")).json().endswith("a file\n")


async def test_what_a_program_says_last_is_fit_to_be_shown(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    said = ONLY_PROGRAM.replace('"it is bad\\n"', '"\\00\\1b[1m\\ff\\nbad"')
    assert said != ONLY_PROGRAM
    await app.deployer.deploy(manifest(files, said))
    detail = (await http.post(RUN, json={"arguments": ["3"]})).json()["detail"]
    assert detail == "the program ended with exit code 3: ??[1m\ufffd bad"


async def test_an_exit_code_is_told(app: App, files: FileServer, http: httpx.AsyncClient) -> None:
    await app.deployer.deploy(manifest(files))
    assert (await http.post(RUN, json={"arguments": ["0"]})).status_code == 200
    failed = await http.post(RUN, json={"arguments": ["3"]})
    assert failed.status_code == 500
    assert failed.json()["detail"] == "the program ended with exit code 3: it is bad"
    records = (await http.get("/things/servient/properties/invocations")).json()
    assert [each.get("stderr") for each in records] == [None, "it is bad\n"]
    assert records[1]["stdout"] == "\nmodule\0003\0\n\n"
    assert (await http.get("/things/p:echo/properties/generation")).json() == 0


@pytest.mark.parametrize(
    "value", [{"arguments": "r"}, {"arguments": [1]}, {"arguments": ["a\0b"]}, {"stdin": 1}]
)
async def test_what_is_no_command_line_is_refused(
    app: App, files: FileServer, http: httpx.AsyncClient, value: Any
) -> None:
    await app.deployer.deploy(manifest(files))
    assert (await http.post(RUN, json=value)).status_code == 400
    assert (await http.post(RUN, content=rb'{"stdin":"\ud800"}')).status_code == 400


async def test_a_program_beside_functions_has_their_state_for_itself(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    await app.deployer.deploy(manifest(files, PROGRAM))
    for expected in (1, 2):
        assert (await http.post("/things/p:echo/actions/count")).json() == expected
        assert (await http.post(RUN, json={"arguments": ["r"]})).json() == "\nmodule\0r\0\n\n"
        assert (await http.post(RUN, json={"arguments": ["2"]})).status_code == 500
    assert (await http.get("/things/p:echo/properties/generation")).json() == 0


async def test_the_name_that_an_orchestrator_uses(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    mounts = {
        "execution": [{"path": "stdin", "media_type": "image/png", "stage": "execution"}],
        "deployment": [],
        "output": [],
    }
    endpoint = {
        "url": "http://localhost",
        "path": "/p/modules/echo/_start",
        "method": "post",
        "request": {"parameters": []},
        "response": {"media_type": "image/png", "schema": None},
    }
    document = manifest(files, arguments=["r", "fixed"], environment={"A": "b"})
    document |= {
        "endpoints": {"echo": {"_start": endpoint}},
        "mounts": {"echo": {"_start": mounts}},
    }
    await app.deployer.deploy(document)
    actions = (await http.get("/things/p:echo")).json()["actions"]
    assert list(actions) == ["_start"]
    assert actions["_start"]["output"]["contentMediaType"] == "image/png"
    sent = {"stdin": ("image.png", b"\x89PNG\r\n", "image/png")}
    done = (await http.post("/p/modules/echo/_start", files=sent)).json()
    assert done.get("status") != "error", done
    answer = await http.post(
        "/things/p:echo/actions/_start",
        content=b"\x89PNG",
        headers={"content-type": "image/png"},
    )
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == b"A=b\0\nmodule\0r\0fixed\0\n\x89PNG\n"


async def test_what_is_configured_for_all_modules(
    settings: Callable[..., Config], files: FileServer
) -> None:
    config = settings(
        bindings=("http",),
        module_environment={"A": "1", "B": "2"},
        stateless_modules=("echo", "other"),
    )
    async with (
        App(config) as app,
        httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as http,
    ):
        await app.deployer.deploy(manifest(files, PROGRAM, environment={"B": "3"}))
        assert (await http.post(RUN, json={"arguments": ["r"]})).json().startswith("A=1\0B=3\0\n")
        assert [(await http.post("/things/p:echo/actions/count")).json() for _ in "12"] == [1, 1]


async def test_a_program_in_a_process_of_its_own(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    await app.deployer.deploy(
        manifest(files, PROGRAM, isolated=True, arguments=["r"], environment={"A": "1"})
    )
    large = "x" * 300_000
    answer = await http.post(RUN, json={"arguments": ["own"], "stdin": large})
    assert answer.json() == f"A=1\0\nmodule\0r\0own\0\n{large}\n"
    assert [(await http.post("/things/p:echo/actions/count")).json() for _ in "12"] == [1, 2]


@pytest.mark.parametrize(
    "member",
    [
        {"environment": {"A=": "1"}},
        {"environment": {"A": 1}},
        {"environment": {"A": "\n"}},
        {"environment": ["A"]},
        {"arguments": "a"},
        {"arguments": [1]},
        {"arguments": ["a\0"]},
        {"arguments": ["a"] * 1000},
    ],
)
async def test_malformed_settings_of_a_module_are_refused(
    app: App, files: FileServer, member: dict[str, Any]
) -> None:
    with pytest.raises(ManifestRejected):
        await app.deployer.deploy(manifest(files, **member))


def test_malformed_variables_are_refused() -> None:
    for variables in ({"": "a"}, {"a=b": "c"}, {"a": "\0"}):
        with pytest.raises(ConfigError, match="cannot be an environment variable"):
            load_config(module_environment=variables)


async def test_the_example_opens_the_file_that_its_argument_names(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    await app.deployer.deploy(files.manifest("wordcount/manifest.json"))
    path = "/things/wordcount-1:wordcount/actions/_start"

    async def count(text: bytes, **form: Any) -> httpx.Response:
        sent = {"text.txt": ("text.txt", text, "text/plain")}
        return await http.post(path, files=sent, data=form)

    answer = await count(b"one two\nthree\n")
    assert (answer.headers["content-type"], answer.text) == ("text/plain", "2 3 14 text.txt\n")
    answer = await count(b"x", arguments='["text.txt"]')
    assert answer.text == "0 1 1 text.txt\n" * 2
    answer = await count(b"", arguments='["missing.txt"]')
    assert answer.json()["detail"].endswith("exit code 1: wordcount: cannot read missing.txt")
    sent = {"text.txt": ("text.txt", b"a b c", "text/plain")}
    done = (await http.post("/wordcount-1/modules/wordcount/_start", files=sent)).json()
    entry = (await http.get(done["resultUrl"])).json()
    (name,) = entry["result"][1]
    printed = await http.get(f"/wordcount-1/modules/wordcount/_start/{name}")
    assert printed.text == "0 3 5 text.txt\n"
    assert entry["stdout"] == printed.text
