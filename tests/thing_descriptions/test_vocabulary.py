"""Our own terms: each is defined, and survives JSON-LD."""

import inspect
import json
from collections.abc import Iterator
from typing import Any

import httpx

from servient.app import App
from tests.files import EXAMPLES, FileServer
from tests.oracle.playground import run_node
from thing_descriptions import vocabulary
from thing_descriptions.models import MODULE_MODEL, SERVIENT_MODEL, load_model, load_vocabulary

DOCUMENT = json.loads(load_vocabulary())
DEFINED = {node["@id"] for node in DOCUMENT["@graph"] if node["@id"].startswith("wasm:")}
# In place of those of W3C, which no test fetches: they make an IRI of every plain term, and members of
# these are named by authors.
VOCAB = "https://www.w3.org/2019/wot/td#"
MAPS = ("properties", "actions", "events", "uriVariables", "securityDefinitions")
TD = {
    "@version": 1.1,
    "@vocab": VOCAB,
    "id": "@id",
    **{name: {"@id": VOCAB + name, "@container": "@index"} for name in MAPS},
}
CONTEXTS = {
    vocabulary.TD_CONTEXT: {
        "@context": {
            **TD,
            "htv": "http://www.w3.org/2011/http#",
            "tm": "https://www.w3.org/2019/wot/tm#",
        }
    },
    vocabulary.DISCOVERY_CONTEXT: {
        "@context": {"discovery": "https://www.w3.org/2022/discovery-ontology#"}
    },
}


def own_terms(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for member in value:
            yield from own_terms(member)
    if isinstance(value, dict):
        for name, member in value.items():
            if name.startswith("wasm:"):
                yield name
            if name == "@type":
                types = [member] if isinstance(member, str) else member
                yield from (each for each in types if each.startswith("wasm:"))
            yield from own_terms(member)


def iris(value: Any) -> Iterator[str]:
    """Every IRI of ours in expanded JSON-LD."""
    if isinstance(value, list):
        for member in value:
            yield from iris(member)
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from iris(name)
            yield from iris(member)
    elif isinstance(value, str) and value.startswith(vocabulary.VOCABULARY):
        yield value


def full(terms: Iterator[str] | set[str]) -> set[str]:
    return {vocabulary.VOCABULARY + term.removeprefix("wasm:") for term in terms}


def expanded(*documents: Any, **contexts: Any) -> list[Any]:
    task = {"documents": documents, "contexts": {**CONTEXTS, **contexts}}
    found: list[Any] = json.loads(run_node("expand.mjs", task))
    return found


def test_each_term_is_defined_once() -> None:
    names = [node["@id"] for node in DOCUMENT["@graph"]]
    assert len(names) == len(set(names))


def test_each_term_is_named_and_explained() -> None:
    constants = dict(inspect.getmembers(vocabulary, lambda value: isinstance(value, str)))
    named = {text for text in constants.values() if text.startswith("wasm:")}
    assert named <= DEFINED
    models = {
        term
        for name in (MODULE_MODEL, SERVIENT_MODEL)
        for term in own_terms(dict(load_model(name)))
    }
    assert models <= DEFINED
    for node in DOCUMENT["@graph"]:
        assert node["rdfs:label"]
        assert node["rdfs:comment"].endswith(".")
    assert DOCUMENT["@context"]["wasm"] == vocabulary.VOCABULARY


def test_it_is_json_ld_and_a_context_for_others() -> None:
    url = "http://servient/vocabulary"
    description = {
        "@context": [vocabulary.TD_CONTEXT, url],
        "@type": "wasm:Module",
        "title": "x",
        "wasm:module": "fibonacci",
        "wasm:example": {"a": [1, None]},
    }
    own, [described] = expanded(DOCUMENT, description, **{url: DOCUMENT})
    assert {node["@id"] for node in own} >= full(DEFINED)
    assert described["@type"] == [vocabulary.VOCABULARY + "Module"]
    [example] = described[vocabulary.VOCABULARY + "example"]
    assert example == {"@type": "@json", "@value": {"a": [1, None]}}


async def test_it_is_served_and_says_all_that_descriptions_say(app: App, files: FileServer) -> None:
    for manifest in sorted(EXAMPLES.glob("*/manifest.json")):
        await app.deployer.deploy(files.manifest(str(manifest.relative_to(EXAMPLES))))
    async with httpx.AsyncClient(base_url=app.addresses()["http"], trust_env=False) as http:
        served = await http.get("/vocabulary")
        documents = (await http.get("/things")).json()
    assert served.headers["content-type"] == "application/ld+json"
    assert served.json() == DOCUMENT
    assert len(documents) > 5
    for document, graph in zip(documents, expanded(*documents), strict=True):
        terms = set(own_terms(document))
        assert terms <= DEFINED
        assert set(iris(graph)) >= full(terms)
