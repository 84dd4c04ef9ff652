"""The profiling mechanism and the common constraints (WoT Profile, sections 4 and 5)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

from servient.app import App
from servient.bindings.http.profiles import HTTP_BASIC, HTTP_SSE
from servient.config import Config
from servient.errors import ServientError
from servient.wot.entry import WoT
from tests.profile import test_http_basic, test_http_sse
from tests.profile.assertions import (
    BASIC_ASSERTIONS,
    COMMON_ASSERTIONS,
    LEFT_OUT,
    SSE_ASSERTIONS,
    asserts,
)
from tests.profile.consumer import invoke, is_problem, url_of
from tests.profile.things import KILN, Stage
from tests.security.people import PASSWORD, PRINCIPALS, basic, bearer
from thing_descriptions.validator import validate_td

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOTHING = b"\xff not JSON"


def asserted(module: dict[str, Any]) -> set[str]:
    tests = [test for name, test in module.items() if name.startswith("test_")]
    return {id_ for test in tests for id_ in getattr(test, "asserted_ids", ())}


@asserts("profiling-mechanism-1")
async def test_every_assertion_about_things_has_a_test() -> None:
    assert asserted(globals()) == COMMON_ASSERTIONS
    assert asserted(vars(test_http_basic)) == BASIC_ASSERTIONS
    assert asserted(vars(test_http_sse)) == SSE_ASSERTIONS
    assert not LEFT_OUT.keys() & (COMMON_ASSERTIONS | BASIC_ASSERTIONS | SSE_ASSERTIONS)


@asserts("profiling-mechanism-2", "profiling-mechanism-3", "profiling-mechanism-4")
async def test_profiles_are_named_in_descriptions_of_td_1_1(stage: Stage) -> None:
    assert len(stage.tds) == 4
    for td in stage.tds.values():
        assert td["profile"] == [HTTP_BASIC, HTTP_SSE]
        assert td["@context"][0] == "https://www.w3.org/2022/wot/td/v1.1"


@asserts("profiling-mechanism-5")
async def test_they_are_descriptions_of_td_1_1(stage: Stage) -> None:
    for td in stage.tds.values():
        assert validate_td(td) == []


@asserts("common-constraints-units-1", "common-constraints-units-2")
async def test_units_are_kept_and_those_of_the_servient_metric(stage: Stage) -> None:
    """Recommended. What has a physical quantity in the servient's own Thing are counts and rates."""
    assert stage.td("Kiln")["properties"]["target"]["unit"] == "Cel"
    memory = stage.td("servient")["properties"]["platform"]["properties"]["memory"]
    assert memory["properties"]["bytes"]["unit"] == "byte"


@asserts("common-constraints-date-format-1")
async def test_times_are_in_rfc_3339(stage: Stage) -> None:
    status = (await invoke(stage.http, stage.td("Kiln"), "fire", 1)).json()
    read = url_of(stage.td("servient"), "readproperty", "properties", "invocations")
    for each in (status, *(await stage.http.get(read)).json()):
        for name in {"timeRequested", "timeEnded"} & each.keys():
            time = datetime.fromisoformat(each[name])
            assert time.tzinfo is not None
            assert each[name][10] == "T"


@asserts("common-constraints-security-1")
async def test_there_is_no_security_scheme(stage: Stage) -> None:
    for td in stage.tds.values():
        assert [scheme["scheme"] for scheme in td["securityDefinitions"].values()] == ["nosec"]


# Principals by how they show who they are, and whether the profiles allow of that.
SECURED = [
    (("bob",), ["basic"], True),
    (("bob", "reader"), ["bearer", "basic"], True),
    (("reader",), ["bearer"], False),
]


@pytest.mark.parametrize(("names", "schemes", "claims"), SECURED)
@asserts(
    "common-constraints-security-3",
    "common-constraints-security-4",
    "common-constraints-security-7",
    "common-constraints-security-basic-in",
    "common-constraints-security-basic-name",
)
async def test_passwords_are_asked_for_as_the_profiles_say(
    settings: Callable[..., Config], names: tuple[str, ...], schemes: list[str], claims: bool
) -> None:
    people = [each for each in PRINCIPALS if each["name"] in names]
    async with (
        App(settings(bindings=("http",), principals=people)) as app,
        httpx.AsyncClient(base_url=app.addresses()["http"], trust_env=False) as http,
    ):
        asked = await http.get("/things/servient")
        assert (asked.status_code, is_problem(asked)) == (401, True)
        challenges = asked.headers["www-authenticate"].lower()
        assert all(f"{scheme} realm=" in challenges for scheme in schemes)
        headers = basic("bob", PASSWORD) if "basic" in schemes else bearer("reader")
        td = (await http.get("/things/servient", headers=headers)).json()
    assert td.get("profile") == ([HTTP_BASIC, HTTP_SSE] if claims else None)
    [name] = td["security"]
    definition = td["securityDefinitions"][name]
    several = definition["oneOf"] if len(schemes) > 1 else [name]
    found = [td["securityDefinitions"][each] for each in several]
    assert [each["scheme"] for each in found] == schemes
    assert definition["scheme"] == ("combo" if len(schemes) > 1 else schemes[0])
    assert all((each["in"], each["name"]) == ("header", "Authorization") for each in found)


@asserts("common-constraints-discovery-1")
async def test_descriptions_are_found_from_a_well_known_url(stage: Stage) -> None:
    address = stage.app.addresses()["http"]
    own = (await stage.http.get(f"{address}/.well-known/wot")).json()
    assert own == stage.td("servient")
    found = await stage.http.get(url_of(own, "readproperty", "properties", "things"))
    assert {td["title"]: td for td in found.json()} == stage.tds


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "properties/none", 404),
        ("GET", "properties/key", 405),
        ("PUT", "properties/target", 400),
        ("PUT", "properties/serial", 405),
        ("PUT", "properties", 400),
        ("POST", "actions/root", 400),
        ("POST", "actions/none", 404),
        ("GET", "actions/fire/none", 404),
        ("DELETE", "actions/fire/none", 404),
        ("GET", "properties/none/observe", 404),
        ("GET", "properties/serial/observe", 405),
        ("GET", "events/none", 404),
    ],
)
@asserts("common-constraints-errors-1", "common-constraints-errors-7")
async def test_what_fails_says_so(stage: Stage, method: str, path: str, status: int) -> None:
    url = f"{stage.app.addresses()['http']}/things/kiln/{path}"
    content = NOTHING if method in ("PUT", "POST") else None
    answer = await stage.http.request(method, url, content=content)
    assert answer.status_code == status
    assert is_problem(answer)


def kinds_of(error: type[ServientError]) -> list[type[ServientError]]:
    return [error, *(each for kind in error.__subclasses__() for each in kinds_of(kind))]


@asserts(
    "common-constraints-errors-2",
    "common-constraints-errors-3",
    "common-constraints-errors-4",
    "common-constraints-errors-5",
)
async def test_errors_have_statuses_of_errors() -> None:
    """Those of the list where they fit, which is recommended; other errors' own, which is allowed.

    These others are: 405 an operation that is not offered, 406 and 415 a media type that is not,
    409 what contradicts the present state, 413 and 431 what is too large, 502 and 504 a step or a
    function that gave no answer, 507 a full disk. None is in the hundreds of redirection.
    """
    recommended = {400, 401, 403, 404, 500, 503}
    statuses = {kind.status for kind in kinds_of(ServientError)}
    assert recommended & statuses >= {400, 404, 500, 503}
    assert all(400 <= status < 600 for status in statuses)


@pytest.mark.parametrize(
    "change",
    [
        {"@context": "https://www.w3.org/2019/wot/td/v1"},
        {"securityDefinitions": {"nosec_sc": {"scheme": "basic", "in": "header"}}},
        {"actions": {"root": {}}},
        {"events": {"opened": {"forms": [{"href": "http://elsewhere/opened"}]}}},
        {"properties": {"a": {"type": "string", "uriVariables": {"x": {"type": "string"}}}}},
    ],
)
async def test_no_profile_is_claimed_that_may_not_hold(
    stage: Stage, change: dict[str, Any]
) -> None:
    wot = WoT(stage.app.servient)
    thing = wot.produce({**KILN, **change, "title": "Other", "id": "urn:test:other"})
    try:
        assert "profile" not in stage.app.servient.td(thing)
    finally:
        thing.destroy()


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        ("https://example.org/p", ["https://example.org/p", HTTP_BASIC, HTTP_SSE]),
        ([HTTP_SSE], [HTTP_SSE, HTTP_BASIC]),
    ],
)
async def test_what_a_program_claims_is_kept(
    stage: Stage, claimed: str | list[str], expected: list[str]
) -> None:
    document = {**KILN, "title": "Other", "id": "urn:test:other", "profile": claimed}
    thing = WoT(stage.app.servient).produce(document)
    try:
        assert stage.app.servient.td(thing)["profile"] == expected
    finally:
        thing.destroy()
