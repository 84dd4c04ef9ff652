"""Things that this project does not serve: those of plain WoTPy, by the URLs of their descriptions."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from wotpy.protocols.http.server import HTTPServer
from wotpy.protocols.ws.server import WebsocketServer
from wotpy.wot.servient import Servient as PlainServient
from wotpy.wot.td import ThingDescription
from wotpy.wot.wot import WoT as PlainWoT

from tests.cli.command import command
from tests.cli.test_failures import stranger

DESCRIPTION = (
    '{"@context": "https://www.w3.org/2022/wot/td/v1.1", "title": "Plain", "id": "urn:plain",'
    ' "security": ["n"], "securityDefinitions": {"n": {"scheme": "nosec"}},'
    ' "properties": {"level": {"type": "integer", "observable": true}},'
    ' "actions": {"double": {"input": {"type": "integer"}, "output": {"type": "integer"}}},'
    ' "events": {"beep": {"data": {"type": "string"}}}}'
)


@dataclass(frozen=True, slots=True)
class Plain:
    """A Thing of WoTPy's own servient, and the wire that it is on."""

    protocol: str
    thing: Any

    @property
    def description(self) -> bytes:
        return json.dumps(ThingDescription.from_thing(self.thing.thing).to_dict()).encode()


@pytest.fixture(params=[("http", HTTPServer), ("ws", WebsocketServer)], ids=["http", "ws"])
async def plain(request: pytest.FixtureRequest) -> AsyncIterator[Plain]:
    protocol, build = request.param
    servient = PlainServient(catalogue_port=None)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    servient.add_server(build(port=port))
    await servient.start()
    thing = PlainWoT(servient).produce(DESCRIPTION)

    async def double(number: int) -> int:
        return 2 * number

    thing.set_action_handler("double", double)
    thing.expose()
    yield Plain(protocol, thing)
    await servient.shutdown()


async def test_a_thing_of_wotpy_by_the_url_of_its_description(plain: Plain) -> None:
    content_type = "Content-Type: application/td+json"
    async with stranger(plain.description, "200 OK", content_type) as server:
        url = f"{server.url}/plain"
        assert (await command("td", url)).json["title"] == "Plain"
        assert (await command("invoke", url, "double", "21")).json == 42
        assert (await command("write", url, "level", "5", "-p", plain.protocol)).code == 0
        assert (await command("read", url, "level")).json == 5
        (await command("read", url, "level", "-p", "coap")).failed(2, f"speaks {plain.protocol}")
        observing = asyncio.create_task(command("observe", url, "level", "-n", "1", "--json"))
        number = 5
        while not observing.done():
            number += 1
            await plain.thing.properties["level"].write(number)
            await asyncio.sleep(0.05)
        assert json.loads((await observing).out)["name"] == "level"
