"""What the profiles are tried on: deployed modules, the servient itself, and a program's Thing."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from servient.app import App
from servient.config import Config
from servient.wot.content import Content
from servient.wot.entry import WoT
from servient.wot.thing import ExposedThing
from tests.files import serve_files

DEADLINE_SECONDS = 20.0
PICTURE = Content(b"\x89PNG\r\n", "image/png")
FILE = {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}
NUMBER = {"type": "number"}

KILN: dict[str, Any] = {
    "@context": ["https://www.w3.org/2022/wot/td/v1.1", {"@language": "en"}],
    "id": "urn:test:kiln",
    "title": "Kiln",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
    "properties": {
        "target": {"type": "integer", "unit": "Cel", "maximum": 1300, "observable": True},
        "programme": {"oneOf": [{"type": "string"}, {"type": "null"}], "observable": True},
        "picture": {**FILE, "observable": True},
        "serial": {"type": "string", "readOnly": True},
        "key": {"type": "string", "writeOnly": True},
    },
    "actions": {
        "root": {"input": NUMBER, "output": NUMBER, "synchronous": True},
        "reset": {"synchronous": True},
        "forget": {"output": {"type": "null"}, "synchronous": True},
        "photograph": {"output": FILE, "synchronous": True},
        "fire": {"input": NUMBER, "output": {"type": "string"}, "synchronous": False},
        "film": {"output": FILE, "synchronous": False},
    },
    "events": {
        "overheated": {"data": {"type": "number", "unit": "Cel"}},
        "opened": {},
    },
}


def expose_kiln(wot: WoT) -> ExposedThing:
    """Made as any program makes a Thing. `fire` goes on until it is cancelled, below zero it fails."""
    thing = wot.produce(KILN)

    async def root(value: Any) -> Any:
        return math.sqrt(value)

    async def fire(value: Any) -> Any:
        if value == 0:
            await asyncio.Event().wait()
        if value < 0:
            raise ValueError("there is no fire so cold")
        return f"fired at {value}"

    async def nothing(_: Any) -> Any:
        return None

    async def picture(_: Any) -> Any:
        return PICTURE

    handlers = {
        "root": root,
        "reset": nothing,
        "forget": nothing,
        "photograph": picture,
        "fire": fire,
        "film": picture,
    }
    for name, handler in handlers.items():
        thing.set_action_handler(name, handler)
    thing.set_property("target", 900)
    thing.set_property("programme", None)
    thing.set_property("picture", PICTURE)
    thing.set_property("serial", "K-1")
    thing.expose()
    return thing


@dataclass(frozen=True, slots=True)
class Stage:
    """A servient with all those Things, and a client that knows nothing but their TDs."""

    app: App
    http: httpx.AsyncClient
    kiln: ExposedThing
    tds: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def look(self) -> None:
        for td in (await self.http.get(f"{self.app.addresses()['http']}/things")).json():
            self.tds[td["title"]] = td

    def td(self, title: str) -> dict[str, Any]:
        return self.tds[title]

    @property
    def fibonacci(self) -> dict[str, Any]:
        return self.tds["fibonacci (fibonacci-1)"]

    @property
    def grayscale(self) -> dict[str, Any]:
        return self.tds["grayscale (grayscale-1)"]


@asynccontextmanager
async def set_stage(folder: Path) -> AsyncIterator[Stage]:
    settings: dict[str, Any] = {"port": 0, "coap_port": 0, "mqtt_port": 0}
    async with (
        App(Config(**settings, instance_path=folder)) as app,
        serve_files() as files,
        httpx.AsyncClient(timeout=DEADLINE_SECONDS, trust_env=False) as http,
    ):
        for example in ("fibonacci", "grayscale"):
            await app.deployer.deploy(files.manifest(f"{example}/manifest.json"))
        stage = Stage(app, http, expose_kiln(app.wot))
        await stage.look()
        yield stage
