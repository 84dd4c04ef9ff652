"""Every Thing Description that we make passes W3C's schema and assertion report."""

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from converters.component_types import (
    BYTES,
    EnumType,
    FlagsType,
    FunctionType,
    ListType,
    OptionType,
    Primitive,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
)
from converters.manifest import parse_manifest
from converters.openapi.modules import parse_description
from converters.thing import to_thing_description
from tests.manifests import NAMES, load_manifest
from tests.oracle.playground import check_with_playground
from thing_descriptions.models import MODULE_MODEL, SERVIENT_MODEL
from thing_descriptions.servient_thing import servient_td
from thing_descriptions.validator import lint_td, validate_td

EXAMPLES = Path(__file__).parents[2] / "examples"

OPERATIONS = {
    "properties": ["readproperty", "observeproperty", "unobserveproperty"],
    "actions": ["invokeaction"],
    "events": ["subscribeevent", "unsubscribeevent"],
}

SIGNATURES = {
    "nothing": ((), ()),
    "scale": (("f64", "i32"), ("f64",)),
    "divmod": (("i64", "i64"), ("i64", "i64")),
}

# A component's function, of every kind of type.
EVERY_TYPE = FunctionType(
    (
        ("first-name", OptionType(Primitive.STRING)),
        ("image", BYTES),
        ("rights", FlagsType(("read", "write"))),
        ("place", RecordType((("x", Primitive.F64), ("unit", EnumType(("m", "km")))))),
        ("rows", ListType(TupleType((Primitive.CHAR, Primitive.U64)))),
        ("maybe", ListType(OptionType(OptionType(Primitive.BOOL)))),
    ),
    ListType(VariantType((("none", None), ("some", ResultType(Primitive.S8, None))))),
)


def with_forms(document: dict[str, Any]) -> dict[str, Any]:
    """The complete Thing Description, with one example form for each affordance."""
    complete = dict(document)
    for kind, operations in OPERATIONS.items():
        for name, affordance in document.get(kind, {}).items():
            offered = operations[:1] if affordance.get("observable") is False else operations
            form = {
                "href": f"http://127.0.0.1:8080/things/example/{kind}/{name}",
                "contentType": "application/json",
                "op": offered,
            }
            complete[kind] = {**complete[kind], name: {**affordance, "forms": [form]}}
    return complete


def descriptions_of(manifest: dict[str, Any], **further: Any) -> list[dict[str, Any]]:
    deployment = parse_manifest(manifest)
    sources = {"endpoints": {}, "signatures": {}, "servient_id": "servient-1"} | further
    return [
        with_forms(to_thing_description(deployment, module, **sources))
        for module in deployment.modules
    ]


def descriptions_of_examples() -> Iterator[dict[str, Any]]:
    for path in sorted(EXAMPLES.glob("*/description.json")):
        manifest = json.loads(path.with_name("manifest.json").read_text(encoding="utf-8"))
        described = json.loads(path.read_text(encoding="utf-8"))
        endpoints = parse_description(described, manifest["modules"][0]["name"])
        yield from descriptions_of(manifest, endpoints=endpoints)


def all_descriptions() -> list[dict[str, Any]]:
    documents = [with_forms(servient_td("Living room", "servient-1"))]
    documents += descriptions_of_examples()
    for name in NAMES:
        documents += descriptions_of(load_manifest(name))
    bare = load_manifest("old-fibo") | {"instructions": None}
    return documents + descriptions_of(bare, signatures=SIGNATURES | {"every-type": EVERY_TYPE})


@pytest.mark.parametrize("document", all_descriptions(), ids=lambda document: document["title"])
def test_passes_our_own_validator(document: dict[str, Any]) -> None:
    assert validate_td(document) == []
    assert lint_td(document) == []


def test_descriptions_pass_the_assertion_report() -> None:
    check_with_playground(all_descriptions())


def test_models_pass_the_assertion_report() -> None:
    folder = resources.files("thing_descriptions")
    models = [json.loads(folder.joinpath(n).read_text()) for n in (MODULE_MODEL, SERVIENT_MODEL)]
    check_with_playground(models, models=True)


def test_the_oracle_judges() -> None:
    broken = with_forms(servient_td("Living room", "servient-1"))
    broken["security"] = "unheard_of"
    with pytest.raises(AssertionError, match="td-security-scheme-name"):
        check_with_playground([broken])
