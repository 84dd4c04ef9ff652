"""What goes from one step of a chain to the next, as the next one declares it."""

from collections.abc import Sequence
from typing import Any

import pytest

from converters.deployment import Endpoint, Mount, Parameter, Stage
from servient.deployment.handover import Handover, hand_over
from servient.errors import NextStepFailed
from servient.wot.content import Content
from servient.wot.thing import Outcome

JPEG = Content(b"\xff\xd8", "image/jpeg")
TEXT = Content("grün".encode(), "text/plain; charset=utf-8")
JSON = Content(b'{"a": [1]}', "application/json")


def endpoint(parameters: dict[str, str] | None = None, files: Sequence[str] = ()) -> Endpoint:
    return Endpoint(
        method="post",
        parameters=tuple(Parameter(n, {"type": t}) for n, t in (parameters or {}).items()),
        files=tuple(Mount(path, "image/jpeg", Stage.EXECUTION) for path in files),
        response_media_type="application/json",
        response_schema={},
        url="http://h",
        path="/",
    )


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (21, "integer", "21"),
        (-0.5, "number", "-0.5"),
        (True, "boolean", "true"),
        ([1, {"a": None}], "array", '[1,{"a":null}]'),
        ("a b&c", "string", "a b&c"),
        ("5", "integer", '"5"'),
        ("ü", "object", '"\\u00fc"'),
        (0, "integer", "0"),
        (False, "boolean", "false"),
    ],
)
def test_a_value_is_the_first_parameter(value: Any, kind: str, text: str) -> None:
    to = endpoint({"a": kind, "b": kind}, ["image.jpeg"])
    handed = hand_over(Outcome(value), to)
    assert handed == Handover(parameters={"a": value})
    assert handed.query(to) == {"a": text}


@pytest.mark.parametrize(
    ("written", "declared", "sent"),
    [
        (["a.jpeg"], ["a.jpeg"], ["a.jpeg"]),
        (["b.jpeg"], ["a.jpeg"], ["a.jpeg"]),
        (["a.jpeg", "b.jpeg"], ["b.jpeg", "a.jpeg"], ["a.jpeg", "b.jpeg"]),
        (["a.jpeg", "x.jpeg"], ["a.jpeg", "b.jpeg"], ["a.jpeg", "b.jpeg"]),
        (["x.jpeg", "y.jpeg"], ["a.jpeg", "b.jpeg"], ["x.jpeg", "y.jpeg"]),
        (["a.jpeg", "b.jpeg"], ["a.jpeg"], ["a.jpeg", "b.jpeg"]),
        (["x.jpeg"], ["a.jpeg", "b.jpeg"], ["x.jpeg"]),
        (["a.jpeg"], [], ["a.jpeg"]),
    ],
)
def test_files_go_by_their_names_but_an_odd_one_takes_the_place_left(
    written: list[str], declared: list[str], sent: list[str]
) -> None:
    files = {name: Content(name.encode(), "image/jpeg") for name in written}
    handed = hand_over(Outcome(files[written[0]], files=files), endpoint(files=declared))
    assert handed.files == dict(zip(sent, files.values(), strict=True))
    assert not handed.parameters


def test_bytes_without_a_name_get_one() -> None:
    assert hand_over(Outcome(JPEG), endpoint(files=["a"])).files == {"a": JPEG}
    assert hand_over(Outcome(JPEG), endpoint()).files == {"result": JPEG}


def test_json_and_text_change_sides_where_the_other_kind_is_taken() -> None:
    parameter, file = endpoint({"a": "string"}), endpoint(files=["a"])
    assert hand_over(Outcome(TEXT), parameter).parameters == {"a": "grün"}
    assert hand_over(Outcome(JSON), parameter).parameters == {"a": {"a": [1]}}
    assert hand_over(Outcome(7), file).files == {"a": Content(b"7", "application/json")}


@pytest.mark.parametrize(
    "content",
    [JPEG, Content(b"\xff", "text/plain"), Content(b"{", "application/json"), Content(b"", "")],
)
def test_a_file_that_is_no_value_is_none(content: Content) -> None:
    with pytest.raises(NextStepFailed):
        hand_over(Outcome(content), endpoint({"a": "string"}))


def test_where_nothing_is_taken_nothing_is_given() -> None:
    assert hand_over(Outcome(7), endpoint()) == Handover()
    assert hand_over(Outcome(None), endpoint({"a": "integer"})) == Handover()
