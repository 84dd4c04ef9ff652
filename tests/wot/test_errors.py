"""The body that every error gets."""

import re
from collections.abc import Iterator

import pytest

from servient import errors
from servient.errors import InvalidInput, ModuleTrapped, NotFound, ServientError, problem


def classes(base: type[ServientError] = ServientError) -> Iterator[type[ServientError]]:
    yield base
    for derived in base.__subclasses__():
        if derived.__module__ == errors.__name__:
            yield from classes(derived)


@pytest.mark.parametrize("error_class", list(classes()))
def test_an_error_makes_a_problem(error_class: type[ServientError]) -> None:
    body = problem(error_class("what, which and why"), "/things/x")
    assert re.fullmatch(r"urn:wasm-servient:problem:[a-z]+(-[a-z]+)*", body["type"])
    assert body["title"] == error_class.title
    assert body["status"] == error_class.status
    assert 400 <= body["status"] < 600
    assert body["detail"] == "what, which and why"
    assert body["instance"] == "/things/x"
    assert "errors" not in body


def test_types_and_meanings_are_told_apart() -> None:
    types = [problem(error_class(""))["type"] for error_class in classes()]
    assert len(set(types)) == len(types)
    assert "urn:wasm-servient:problem:module-trapped" in types
    assert problem(ModuleTrapped("")) == {
        "type": "urn:wasm-servient:problem:module-trapped",
        "title": "Module trapped",
        "status": 500,
        "detail": "",
    }


def test_faults_are_listed_and_cannot_be_changed_from_outside() -> None:
    faults = [{"pointer": "/a", "detail": "missing"}]
    error = InvalidInput("no", faults)
    faults.clear()
    assert problem(error)["errors"] == [{"pointer": "/a", "detail": "missing"}]
    assert "instance" not in problem(error)


def test_an_error_reads_as_its_detail() -> None:
    assert str(NotFound("no Thing 'x'")) == "no Thing 'x'"
