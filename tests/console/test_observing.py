"""What changes while somebody looks: values over other protocols, events, Things that come and go."""

from typing import Any

import pytest_asyncio
from playwright.async_api import expect

from servient.app import App
from servient.wot.thing import ExposedThing
from tests.console.browsing import Console
from tests.console.conftest import LOOP
from tests.console.deploying import local_manifest
from tests.consumers.coap import CoapConsumer
from tests.things import expose_lamp


@pytest_asyncio.fixture(scope="module", loop_scope=LOOP, autouse=True)
async def lamp(app: App) -> ExposedThing:
    return expose_lamp(app.wot)


def td(app: App, thing: ExposedThing) -> dict[str, Any]:
    return app.servient.td(thing)


async def test_a_change_over_coap_arrives(seen: Console, app: App, lamp: ExposedThing) -> None:
    await seen.open("thing", "urn:test:lamp:1", "properties")
    row = seen.page.locator("li.property").filter(has_text="level")
    await expect(row).to_contain_text("3")
    consumer = CoapConsumer(td(app, lamp))
    for level in (40, 10, 70):
        await consumer.write("level", level)
        await expect(row.locator("strong")).to_have_text(str(level))
    await consumer.close()
    await expect(row.get_by_role("img", name="level: 70, between 3 and 70")).to_be_visible()
    await seen.shoot("properties")


async def test_a_property_is_written(seen: Console, app: App, lamp: ExposedThing) -> None:
    await seen.open("thing", "urn:test:lamp:1", "properties")
    row = seen.page.locator("li.property").filter(has_text="level")
    await row.get_by_role("button", name="Write").click()
    form = seen.page.get_by_role("form", name="Write level")
    await form.get_by_label("Value").fill("55")
    await form.get_by_role("button", name="Write").click()
    await expect(row.locator("strong")).to_have_text("55")
    assert await lamp.read_property("level") == 55


async def test_events_are_shown_as_they_come(seen: Console, app: App, lamp: ExposedThing) -> None:
    await seen.open("thing", "urn:test:lamp:1", "events")
    await expect(seen.page.get_by_text("Nothing has been heard")).to_be_visible()
    await expect(seen.page.get_by_text("live", exact=True)).to_be_visible()
    consumer = CoapConsumer(td(app, lamp))
    await consumer.invoke("toggle")
    await consumer.close()
    heard = seen.page.get_by_role("list", name="Events")
    await expect(heard).to_contain_text("toggled")
    await seen.shoot("events")


async def test_things_come_and_go(seen: Console, app: App) -> None:
    await seen.open("things")
    await expect(seen.page.get_by_text("2 Things")).to_be_visible()
    await expect(seen.page.get_by_text("live", exact=True)).to_be_visible()
    other = expose_lamp(app.wot, "lamp:2")
    await expect(seen.page.get_by_role("heading", name="Lamp lamp:2")).to_be_visible()
    other.destroy()
    await expect(seen.page.get_by_role("heading", name="Lamp lamp:2")).to_be_hidden()
    await expect(seen.page.get_by_text("2 Things")).to_be_visible()


async def test_many_properties_take_two_connections(seen: Console) -> None:
    await seen.open("thing", "urn:test:lamp:1", "properties")
    await expect(seen.page.locator("li.property")).to_have_count(5)
    streams = [url for url in seen.requests if url.endswith(("/properties", "/events"))]
    own = "/things/servient/"
    assert len([url for url in streams if own not in url]) == 2


async def test_the_page_comes_back_when_the_servient_does(
    seen: Console, app: App, lamp: ExposedThing
) -> None:
    await seen.open("thing", "urn:test:lamp:1", "properties")
    await expect(seen.page.get_by_text("live", exact=True)).to_be_visible()
    await app.bindings["http"].stop()
    await expect(seen.page.get_by_text("reconnecting")).to_be_visible()
    lamp.set_property("level", 77)  # while nobody could be told
    await app.bindings["http"].start(app.servient)
    await expect(seen.page.get_by_text("live", exact=True)).to_be_visible()
    row = seen.page.locator("li.property").filter(has_text="level")
    await expect(row.locator("strong")).to_have_text("77")


async def test_a_thing_that_is_deployed_anew_is_shown_anew(seen: Console, app: App) -> None:
    manifest = local_manifest("counter")
    await app.deployer.deploy(manifest)
    await seen.open("thing", "counter-1:counter", "properties")
    await expect(seen.page.get_by_text("live", exact=True)).to_be_visible()
    await app.deployer.undeploy("counter-1")
    await expect(seen.page.get_by_role("heading", level=1)).to_have_text("No such Thing")
    await app.deployer.deploy(manifest)
    await expect(seen.page.get_by_role("heading", level=1)).to_contain_text("counter")
    url = f"{seen.origin}/things/counter-1:counter/actions/increment"
    row = seen.page.locator("li.property").filter(has_text="Result of increment")
    await expect(row).to_contain_text("No value yet")
    await seen.page.request.post(url)
    await expect(row.locator("strong")).to_have_text("1")
