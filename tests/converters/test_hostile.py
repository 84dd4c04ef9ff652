"""Whatever a document holds, it is converted to a valid Thing Description or refused."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from converters.errors import ConversionError
from converters.manifest import parse_manifest
from converters.openapi.modules import parse_description
from converters.thing import to_thing_description
from tests.converters.openapi.test_modules import DESCRIPTION
from tests.manifests import NAMES, load_manifest
from thing_descriptions.validator import lint_td, validate_td

SIGNATURES = {"fibo": (("i64",), ("i64",)), "addf": (("f64", "f64"), ("f64",))}

NASTY: list[Any] = [
    None, True, 0, -1, 1e308, "", "x", "../../etc", "a/b", "x" * 10_000, "\x00", "\ud800", "{{X}}",
    [], [[]], [None], [1, {}], {}, {"": {}}, {"a/b": {"~": None}}, {"$ref": "#"}, {"type": "integer"},
    {"type": ["string", "null", 5]}, {"properties": {"x": 5}}, {"enum": [1, 1.0, True]}, {"const": []},
    {"type": "object", "required": [{}, 5, "a"], "properties": {"a": {"format": [], "enum": [None]}}},
]  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "path", "name", "in", "schema", "oneOf"]
            )
            | st.text(max_size=8),
            children,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def convert(document: object) -> list[dict[str, Any]]:
    deployment = parse_manifest(document)
    return [
        to_thing_description(
            deployment, module, endpoints={}, signatures=SIGNATURES, servient_id="s"
        )
        for module in deployment.modules
    ]


def assert_converts_or_refuses(document: object) -> None:
    try:
        converted = convert(document)
    except ConversionError as refusal:
        assert len(str(refusal)) < 20_000
        str(refusal).encode()
        return
    for description in converted:
        assert validate_td(description, partial=True) == []
        assert lint_td(description) == []


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value)
    if isinstance(value, dict | list):
        for name, member in members:
            yield from (
                places(member, (*path, name))
                if isinstance(member, dict | list)
                else [(*path, name)]
            )


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    document = copy.deepcopy(document)
    target = document
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return document


@pytest.mark.parametrize(
    "name", ["deploy-bytes-deploymount", "deploy-chain-fibo-fibo-device1", "old-fibo"]
)
def test_every_place_replaced_by_every_nasty_value(name: str) -> None:
    document = load_manifest(name)
    for path in places(document):
        for value in NASTY:
            try:
                convert(replaced(document, path, value))
            except ConversionError:
                continue


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_place_replaced_by_any_json(data: st.DataObject) -> None:
    document = load_manifest(data.draw(st.sampled_from(NAMES)))
    path = data.draw(st.sampled_from(list(places(document))))
    assert_converts_or_refuses(replaced(document, path, data.draw(json_values)))


@settings(max_examples=150, deadline=None)
@given(document=json_values)
def test_any_json(document: Any) -> None:
    assert_converts_or_refuses(document)


@settings(max_examples=150, deadline=None)
@given(schema=json_values)
def test_any_schema(schema: Any) -> None:
    document = load_manifest("deploy-fibo")
    endpoint = document["endpoints"]["fibo"]["fibo"]
    endpoint["request"]["parameters"][0]["schema"] = schema
    endpoint["response"]["schema"] = schema
    assert_converts_or_refuses(document)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_description(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(places(DESCRIPTION))))
    document = replaced(DESCRIPTION, path, data.draw(st.sampled_from(NASTY) | json_values))
    try:
        endpoints = parse_description(document, "bytes")
    except ConversionError:
        return
    for endpoint in endpoints.values():
        Draft7Validator.check_schema(endpoint.response_schema)
