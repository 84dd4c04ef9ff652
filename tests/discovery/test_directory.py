"""A servient's Things in an external directory."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from servient.app import SERVIENT_THING, App
from servient.config import Config
from servient.discovery.directory import DISCOVERY_CONTEXT, DirectoryEntries, Renewal
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.discovery.directory import Directory
from tests.files import FileServer
from tests.things import TD, expose_lamp

QUICK = Renewal(
    ttl_seconds=1, first_retry_seconds=0.01, last_retry_seconds=0.05, farewell_seconds=0.5
)
LONG = Renewal(first_retry_seconds=0.01, last_retry_seconds=0.05, farewell_seconds=0.5)
FIRST, SECOND = "urn:test:first", "urn:test:second"


@pytest.fixture
async def servient() -> AsyncIterator[Servient]:
    servient = Servient()
    await servient.start()
    yield servient
    await servient.shutdown()


def expose(servient: Servient, name: str) -> ExposedThing:
    """A lamp that any directory takes: where there are no bindings, its forms are elsewhere."""
    document: dict[str, Any] = {"title": name, "id": f"urn:test:{name}"}
    thing = WoT(servient).produce({**TD, "properties": {}, "actions": {}, "events": {}, **document})
    thing.expose()
    return thing


async def test_things_come_and_go_with_their_entries(servient: Servient) -> None:
    expose(servient, "first")
    async with Directory().running() as directory:
        async with DirectoryEntries(servient, directory.url, LONG):
            await directory.until(FIRST)
            second = expose(servient, "second")
            await directory.until(FIRST, SECOND)
            second.destroy()
            await directory.until(FIRST)
        assert directory.entries() == {}
    # A removal that stopping interrupts is done again.
    done = [request[::2] for request in directory.requests if request[2] != 404]
    assert done == [
        ("PUT", 201),
        ("PUT", 201),
        ("DELETE", 204),
        ("DELETE", 204),
    ]


async def test_an_entry_is_the_description_and_how_long_it_holds(servient: Servient) -> None:
    thing = expose(servient, "first")
    async with Directory().running() as directory, DirectoryEntries(servient, directory.url, LONG):
        await directory.until(FIRST)
        [entry] = directory.entries().values()
    td = servient.td(thing)
    assert entry == {
        **td,
        "@context": [td["@context"][0], DISCOVERY_CONTEXT, *td["@context"][1:]],
        "registration": {"ttl": LONG.ttl_seconds},
    }


async def test_entries_are_renewed_before_they_expire(servient: Servient) -> None:
    expose(servient, "first")
    async with Directory().running() as directory, DirectoryEntries(servient, directory.url, QUICK):
        await directory.until_requests(3)
        assert directory.entries().keys() == {FIRST}
    assert [status for _, _, status in directory.requests[:3]] == [201, 204, 204]


async def test_an_entry_changes_with_its_thing(servient: Servient) -> None:
    thing = expose(servient, "first")
    async with Directory().running() as directory, DirectoryEntries(servient, directory.url, LONG):
        await directory.until(FIRST)
        thing.add_event("late", {"forms": [{"href": "http://elsewhere/late"}]})
        await directory.until_requests(2)
        assert "late" in directory.entries()[FIRST]["events"]


@pytest.mark.parametrize("failures", [(503, 500, 429), (401,)])
async def test_it_is_tried_until_it_is_done(
    servient: Servient, caplog: pytest.LogCaptureFixture, failures: tuple[int, ...]
) -> None:
    expose(servient, "first")
    async with (
        Directory(*failures).running() as directory,
        DirectoryEntries(servient, directory.url, LONG),
    ):
        await directory.until(FIRST)
    for failure in failures:
        assert f"it answers {failure}" in caplog.text


async def test_a_directory_that_refuses_one_gets_the_others(
    servient: Servient, caplog: pytest.LogCaptureFixture
) -> None:
    expose(servient, "first")
    expose(servient, "second")
    async with (
        Directory(400).running() as directory,
        DirectoryEntries(servient, directory.url, LONG),
    ):
        await directory.until(SECOND)
    assert f"does not take {FIRST}: it answers 400" in caplog.text


async def test_a_directory_that_comes_later_is_found(servient: Servient) -> None:
    expose(servient, "first")
    async with Directory().running() as earlier:
        url, port = earlier.url, int(earlier.origin.rpartition(":")[2])
    async with DirectoryEntries(servient, url, LONG):
        await asyncio.sleep(0.05)
        async with Directory().running(port) as directory:
            await directory.until(FIRST)
            expose(servient, "second")
            await directory.until(FIRST, SECOND)


async def test_stopping_waits_for_nobody(
    servient: Servient, caplog: pytest.LogCaptureFixture
) -> None:
    expose(servient, "first")
    async with Directory().running() as directory:
        entries = DirectoryEntries(servient, directory.url, LONG)
        await entries.__aenter__()
        await directory.until(FIRST)
    await entries.__aexit__(None, None, None)
    assert "entries stay in the directory" in caplog.text


async def test_a_deployment_is_found_in_the_directory(
    settings: Callable[..., Config], files: FileServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with Directory().running() as directory:
        async with App(settings(directory_url=directory.url)) as app:
            own = app.servient.exposed(SERVIENT_THING).description.id
            assert own is not None
            await directory.until(own)
            deployed = await app.deployer.deploy(files.manifest("counter/manifest.json"))
            module = app.servient.exposed(deployed.names()[0]).description.id
            assert module is not None
            lamp = expose_lamp(app.wot)
            assert lamp.description.id is not None
            await directory.until(own, module, lamp.description.id)
            await app.deployer.undeploy(deployed.id)
            await directory.until(own, lamp.description.id)
        assert directory.entries() == {}
    assert "directory" not in caplog.text
