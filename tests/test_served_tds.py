"""Every Thing Description that a servient serves, judged by W3C's schema and assertions."""

from typing import Any

import httpx

from servient.app import App
from tests.files import EXAMPLES, FileServer
from tests.oracle.playground import check_with_playground
from thing_descriptions.validator import lint_td, validate_td


async def test_served_descriptions_are_valid(app: App, files: FileServer) -> None:
    names = {"servient"}
    for manifest in sorted(EXAMPLES.glob("*/manifest*.json")):
        deployed = await app.deployer.deploy(files.manifest(str(manifest.relative_to(EXAMPLES))))
        names.update(deployed.names())
    async with httpx.AsyncClient(base_url=app.addresses()["http"]) as http:
        documents: list[dict[str, Any]] = (await http.get("/things")).json()
        own = (await http.get("/.well-known/wot")).json()
    assert len(documents) == len(names)
    assert own in documents
    for document in documents:
        assert validate_td(document) == []
        assert lint_td(document) == []
        schemes = {
            form["href"].partition(":")[0]
            for action in document["actions"].values()
            for form in action["forms"]
        }
        assert schemes == {"http", "ws", "coap", "mqtt"}
    check_with_playground(documents)


async def test_a_module_is_described_by_its_openapi_description(
    app: App, files: FileServer
) -> None:
    manifest = files.manifest("fibonacci/manifest.json")
    deployed = await app.deployer.deploy(manifest)
    described = app.servient.td(app.servient.exposed(deployed.names()[0]))
    manifest["modules"][0]["urls"]["description"] = f"{files.origin}/missing.json"
    await app.deployer.deploy(manifest)
    undescribed = app.servient.td(app.servient.exposed(deployed.names()[0]))
    assert (
        described["actions"]["fibo"]["description"] != undescribed["actions"]["fibo"]["description"]
    )
    assert (
        described["actions"]["fibo"]["input"].keys()
        == undescribed["actions"]["fibo"]["input"].keys()
    )
