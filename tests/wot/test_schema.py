"""What a data schema takes, and what a handler gets of it."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servient.errors import InvalidInput, ServientError, UnsupportedContent
from servient.wot.content import OCTET_STREAM, Content
from servient.wot.schema import FAULTS_LIMIT, DataSchema, media_type_of
from tests.wot.test_content import JSON, nested

PNG = {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}
FILE = {"type": "string", "contentEncoding": "base64"}
UPLOAD = {
    "type": "object",
    "properties": {"image": PNG, "title": {"type": "string"}, "size": {"type": "integer"}},
    "required": ["image"],
}
BYTES = b"\x89PNG\x00"
TEXT = base64.b64encode(BYTES).decode()
IMAGE = Content(BYTES, "image/png")


def refusal(document: dict[str, Any], value: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        DataSchema(document).accept(value)
    return [(fault["pointer"], fault["detail"]) for fault in refused.value.faults]


def test_each_fault_has_its_place() -> None:
    document = {
        "type": "object",
        "properties": {
            "a/b": {"type": "integer"},
            "c~d": {"type": "array", "items": {"type": "string"}},
            "": {"type": "boolean"},
        },
        "required": ["needed"],
    }
    found = dict(refusal(document, {"a/b": "x", "c~d": ["y", 5, None], "": 1}))
    assert found.keys() == {"/a~1b", "/c~0d/1", "/c~0d/2", "/", ""}
    assert "needed" in found[""]


def test_faults_are_bounded_in_number_and_length() -> None:
    document = {"type": "array", "items": {"type": "integer"}}
    found = refusal(document, ["x" * 10_000] * 1_000)
    assert len(found) == FAULTS_LIMIT
    assert all(len(detail) <= 200 for _, detail in found)


@pytest.mark.parametrize(
    ("document", "accepted"),
    [
        ({"type": "object"}, {}),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, {}),
        ({"type": "null"}, None),
        ({}, None),
        ({"oneOf": [{"type": "integer"}, {"type": "null"}]}, None),
    ],
)
def test_no_input_is_what_the_schema_makes_of_it(document: Any, accepted: Any) -> None:
    assert DataSchema(document).accept(None) == accepted


@pytest.mark.parametrize(
    "document",
    [{"type": "integer"}, {"type": "object", "required": ["a"]}, {"enum": [1]}, PNG, UPLOAD],
)
def test_no_input_is_refused_where_one_is_needed(document: dict[str, Any]) -> None:
    assert [pointer for pointer, _ in refusal(document, None)] == [""]


def test_numbers_beyond_floats() -> None:
    fraction = DataSchema({"type": "number", "multipleOf": 0.5})
    assert fraction.accept(2.5) == 2.5
    for huge in (10**400, -(10**4_000)):
        assert fraction.accept(huge) == huge
        assert DataSchema({"type": "integer", "minimum": -(10**4_000)}).accept(huge) == huge
    assert [p for p, _ in refusal({"type": "integer", "maximum": 100}, 10**4_000)] == [""]
    assert [p for p, _ in refusal({"type": "integer"}, True)] == [""]


def test_a_schema_that_refers_to_itself() -> None:
    tree = DataSchema({"type": "array", "items": {"$ref": "#"}})
    assert tree.accept(nested(100)) == nested(100)
    with pytest.raises(InvalidInput, match=r"deep|nested|not of type"):
        tree.accept(nested(5_000))
    with pytest.raises(InvalidInput, match="deep"):
        DataSchema({"$ref": "#"}).accept(1)


class Counting(BaseHTTPRequestHandler):
    """Counts who asks."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"type": "integer"}')


@pytest.fixture
def schemas() -> Iterator[tuple[str, list[str]]]:
    """The address of a server of schemas, and who asked it."""
    asked: list[str] = []
    handler = type("Handler", (Counting,), {"asked": asked})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_a_reference_is_never_fetched(schemas: tuple[str, list[str]]) -> None:
    origin, asked = schemas
    for reference in (f"{origin}/schema.json", f"{origin}/schema.json#/a", "file:///etc/passwd"):
        for document in (
            {"$ref": reference},
            {"type": "object", "properties": {"a": {"$ref": reference}}},
            {"$id": f"{origin}/base", "$ref": "other.json"},
        ):
            with pytest.raises(ServientError) as refused:
                DataSchema(document).accept({"a": 1})
            assert refused.value.status == 500
            assert "refers" in refused.value.detail
    assert not asked


def test_a_reference_within_the_schema_is_followed() -> None:
    document = {"definitions": {"n": {"type": "integer"}}, "items": {"$ref": "#/definitions/n"}}
    assert DataSchema(document).accept([1]) == [1]
    assert [pointer for pointer, _ in refusal(document, ["x"])] == ["/0"]
    with pytest.raises(ServientError, match="refers"):
        DataSchema({"$ref": "#/definitions/none"}).accept(1)


# Files


@pytest.mark.parametrize("value", [TEXT, IMAGE, Content(BYTES, OCTET_STREAM)])
def test_a_file_comes_as_base64_or_as_it_is(value: Any) -> None:
    assert DataSchema(PNG).accept(value) == IMAGE
    member = {"image": value} if isinstance(value, str) else value
    assert DataSchema(UPLOAD).accept(member) == {"image": IMAGE}


def test_a_file_may_stand_beside_other_members() -> None:
    value = {"image": Content(BYTES, "image/gif"), "title": "t", "size": 3}
    assert DataSchema(UPLOAD).accept(value) == value
    assert DataSchema(UPLOAD).accept({**value, "image": TEXT}) == {**value, "image": IMAGE}


@pytest.mark.parametrize("media_type", ["text/plain", "image/jpeg", "x", "image", "image/*"])
def test_another_kind_of_file_is_refused(media_type: str) -> None:
    for document in (PNG, UPLOAD):
        with pytest.raises(UnsupportedContent, match="image/png"):
            DataSchema(document).accept(Content(BYTES, media_type))


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        ("image/*", "image/jpeg"),
        ("image/PNG", "Image/png; q=1"),
        (OCTET_STREAM, "audio/wav"),
        (None, "audio/wav"),
    ],
)
def test_a_file_of_an_open_type_keeps_its_own(wanted: str | None, sent: str) -> None:
    document = {**FILE, **({"contentMediaType": wanted} if wanted else {})}
    assert DataSchema(document).accept(Content(BYTES, sent)) == Content(BYTES, sent)


def test_a_bare_file_has_one_place_or_none() -> None:
    two = {"type": "object", "properties": {"a": PNG, "b": PNG}}
    none = {"type": "object", "properties": {"a": {"type": "string"}}}
    for document in (two, none, {"type": "string"}, {"type": "integer"}, {}):
        with pytest.raises(UnsupportedContent, match="image/png"):
            DataSchema(document).accept(IMAGE)
    needy = {**UPLOAD, "required": ["image", "title"]}
    assert "title" in refusal(needy, IMAGE)[0][1]


def test_a_file_is_no_text() -> None:
    found = refusal(UPLOAD, {"image": IMAGE, "title": Content(b"t", "text/plain")})
    assert found == [("/title", "not a file")]
    found = refusal(UPLOAD, {"image": IMAGE, "size": Content(b"1", "text/plain")})
    assert found == [("/size", "not a file")]


@pytest.mark.parametrize("text", ["=", "ab", "a b=", "ü", "AP8=\n", "AP8", "\ud800", "-_-_"])
def test_what_is_no_base64_is_refused_in_its_place(text: str) -> None:
    assert [pointer for pointer, _ in refusal(PNG, text)] == [""]
    assert [pointer for pointer, _ in refusal(UPLOAD, {"image": text})] == ["/image"]
    slashed = {"type": "object", "properties": {"a/b": PNG}}
    assert [pointer for pointer, _ in refusal(slashed, {"a/b": text})] == ["/a~1b"]


def test_media_types() -> None:
    assert [media_type_of(schema) for schema in (PNG, FILE, UPLOAD, {})] == [
        "image/png",
        OCTET_STREAM,
        "application/json",
        "application/json",
    ]


SCHEMAS: list[dict[str, Any]] = [
    {},
    UPLOAD,
    PNG,
    {"type": "integer", "minimum": 0, "multipleOf": 3},
    {"type": "number", "multipleOf": 0.1, "exclusiveMaximum": 1e300},
    {"type": "array", "items": {"$ref": "#"}, "uniqueItems": True, "maxItems": 3},
    {"oneOf": [{"type": "string", "pattern": "^a+$", "maxLength": 3}, {"const": {"a": [None]}}]},
    {"enum": [None, 1, "x", [1], {"a": 1}]},
    {"type": "object", "additionalProperties": {"type": "boolean"}, "minProperties": 1},
]


@pytest.mark.parametrize("document", SCHEMAS, ids=repr)
@given(value=JSON | st.builds(Content, st.binary(), st.text(max_size=20)))
def test_anything_is_accepted_or_refused(document: dict[str, Any], value: Any) -> None:
    try:
        DataSchema(document).accept(value)
    except (InvalidInput, UnsupportedContent) as error:
        assert error.detail
        for fault in error.faults:
            assert fault["pointer"] == "" or fault["pointer"].startswith("/")


def test_no_pattern_takes_for_ever() -> None:
    evil = DataSchema({"type": "string", "pattern": "^(a+)+$"})
    assert evil.accept("a" * 50) == "a" * 50
    assert [
        pointer for pointer, _ in refusal({"type": "string", "pattern": "^(a+)+$"}, "a" * 50 + "b")
    ] == [""]
    named = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}
    assert [pointer for pointer, _ in refusal(named, {"x": "a" * 50 + "b"})] == ["/x"]
