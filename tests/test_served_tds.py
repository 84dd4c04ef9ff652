"""Every Thing Description that a servient serves, judged by W3C's schema and assertions."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from servient.app import App
from tests.deployment.test_orchestrator_manifests import load
from tests.files import EXAMPLES, FileServer
from tests.manifests import NAMES
from tests.oracle.playground import check_data_schemas, check_with_playground
from tests.things import expose_lamp
from thing_descriptions.validator import lint_td, validate_td

SCHEMAS = ("input", "output", "data", "subscription", "cancellation")
MANIFESTS = sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.glob("*/manifest*.json"))


async def served(app: App, *things: str) -> list[dict[str, Any]]:
    """The descriptions as HTTP gives them."""
    async with httpx.AsyncClient(base_url=app.addresses()["http"], trust_env=False) as http:
        return [(await http.get(f"/things/{thing}")).json() for thing in things]


def data_schemas(td: dict[str, Any]) -> Iterator[Any]:
    for kind in ("properties", "actions", "events"):
        for affordance in td.get(kind, {}).values():
            if kind == "properties":
                yield affordance
            yield from (affordance[member] for member in SCHEMAS if member in affordance)


def judge(documents: list[dict[str, Any]]) -> None:
    for document in documents:
        assert validate_td(document) == []
        assert lint_td(document) == []
        for schema in data_schemas(document):
            Draft7Validator.check_schema(schema)
            Draft202012Validator.check_schema(schema)
    check_data_schemas(documents)
    check_with_playground(documents)


async def test_descriptions_of_the_examples(app: App, files: FileServer) -> None:
    names = ["servient"]
    for manifest in MANIFESTS:
        names += (await app.deployer.deploy(files.manifest(manifest))).names()
    names = list(dict.fromkeys(names))
    documents = await served(app, *names)
    for document in documents:
        assert wires(document) == {"http", "ws", "coap", "mqtt"}
    judge(documents)
    async with httpx.AsyncClient(base_url=app.addresses()["http"], trust_env=False) as http:
        listed = (await http.get("/things")).json()
        own = (await http.get("/.well-known/wot")).json()
    assert own == documents[0]
    assert len(listed) == len(names)
    assert all(document in documents for document in listed)


def wires(document: dict[str, Any]) -> set[str]:
    actions = document["actions"].values()
    return {form["href"].partition(":")[0] for action in actions for form in action["forms"]}


async def test_descriptions_of_an_orchestrators_manifests(app: App, files: FileServer) -> None:
    documents = []
    for name in NAMES:
        deployed = await app.deployer.deploy(load(name, files))
        documents += await served(app, *deployed.names())
        await app.deployer.undeploy(deployed.id)
    assert len(documents) >= len(NAMES)
    judge(documents)


async def test_the_description_of_a_programs_thing(app: App) -> None:
    judge(await served(app, expose_lamp(app.wot).name))


@pytest.mark.parametrize(
    "schema", [{"type": "number", "format": "roman"}, {"type": "string", "pattern": "("}]
)
def test_a_schema_that_does_not_compile_is_noticed(schema: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="wrong"):
        check_data_schemas([{"title": "x", "properties": {"wrong": schema}}])


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
