"""Who may do what over HTTP, on every route."""

import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from servient.app import App
from servient.config import Config
from tests.bindings.http.serving import is_problem
from tests.files import FileServer
from tests.security.people import KEY, PRINCIPALS, SCOPES, TOKENS, basic, bearer
from thing_descriptions.validator import validate_td

MANIFEST = "counter/manifest.json"
THING = "/things/d:counter"
# What takes which scope.
ROUTES = [
    ("GET", THING, "read"),
    ("GET", "/things", "read"),
    ("GET", f"{THING}/properties", "read"),
    ("GET", f"{THING}/properties/generation", "read"),
    ("GET", f"{THING}/actions", "read"),
    ("GET", f"{THING}/actions/increment/99", "read"),
    ("POST", f"{THING}/actions/increment", "invoke"),
    ("DELETE", f"{THING}/actions/increment/99", "invoke"),
    ("PUT", f"{THING}/properties", "invoke"),
    ("GET", "/d/modules/counter/increment", "invoke"),
    ("POST", "/d/modules/counter/increment", "invoke"),
    ("GET", "/request-history", "read"),
    ("GET", "/module_results/counter/x", "read"),
    ("GET", "/deploy", "read"),
    ("POST", "/deploy", "deploy"),
    ("DELETE", "/deploy/none", "deploy"),
    ("POST", "/things/servient/actions/undeploy", "deploy"),
    ("GET", "/things/servient/properties/things", "read"),
    ("GET", "/health", "read"),
    ("GET", "/.well-known/wasmiot-device-description", "read"),
    ("POST", "/register", "deploy"),
]
# Lists, which show what one may see.
FILTERED = ("/things", "/request-history", "/module_results/counter/x")


@pytest.fixture
async def http(
    files: FileServer, settings: Callable[..., Config]
) -> AsyncIterator[httpx.AsyncClient]:
    config = settings(bindings=("http",), principals=PRINCIPALS)
    async with App(config) as app:
        await app.deployer.deploy(files.manifest(MANIFEST, deploymentId="d"))
        async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as client:
            yield client


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
async def test_a_route_takes_its_scope(
    http: httpx.AsyncClient, method: str, path: str, scope: str
) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-API-Key": "wrong"}):
        refused = await http.request(method, path, headers=headers)
        assert is_problem(refused, 401), (headers, refused.text)
        assert refused.headers["www-authenticate"].startswith("Bearer realm=")
    for name, scopes in SCOPES.items():
        answer = await http.request(method, path, headers=bearer(name))
        if scope in scopes or "admin" in scopes or path in FILTERED:
            assert answer.status_code not in (401, 403), answer.text
        else:
            assert answer.status_code == 403, (name, answer.text)
    other = await http.request(method, path, headers={"X-API-Key": KEY})
    assert other.status_code == (403 if path not in FILTERED else other.status_code)


async def test_an_invocation_is_for_who_may_read_its_thing(http: httpx.AsyncClient) -> None:
    ran = await http.get("/d/modules/counter/increment", headers=bearer("caller"))
    path = ran.json()["resultUrl"]
    assert (await http.get(path)).status_code == 401
    assert (await http.get(path, headers=bearer("caller"))).status_code == 403
    assert (await http.get(path, headers=bearer("reader"))).status_code == 200


async def test_lists_show_what_one_may_see(http: httpx.AsyncClient) -> None:
    await http.post("/d/modules/counter/increment", headers=bearer("caller"))
    for name, count in (("reader", 2), ("caller", 0), ("admin", 2)):
        assert len((await http.get("/things", headers=bearer(name))).json()) == count
        history = (await http.get("/request-history", headers=bearer(name))).json()
        assert len(history) == (1 if count else 0)
    assert (await http.get("/things", headers={"X-API-Key": KEY})).json() == []


async def test_the_td_says_what_is_enforced_and_no_secret(http: httpx.AsyncClient) -> None:
    own = await http.get("/.well-known/wot")
    assert own.status_code == 200
    served = await http.get(THING, headers=bearer("reader"))
    for answer in (own, served):
        td = answer.json()
        assert validate_td(td) == []
        assert td["security"] == ["any_sc"]
        schemes = {each["scheme"] for each in td["securityDefinitions"].values()}
        assert schemes == {"bearer", "basic", "apikey", "combo"}
        assert len(td["profile"]) == 2  # a password is enough for them
        assert not any(token in answer.text for token in TOKENS.values())
        assert "argon2" not in answer.text
    forms = json.dumps(served.json()["actions"])
    assert forms.count('"security": ["any_sc"]') == forms.count('"href"')


async def test_what_is_kept_for_a_poll_is_for_who_polled(http: httpx.AsyncClient) -> None:
    path = f"{THING}/properties/generation/observe"
    for headers, status in ((bearer("reader"), 200), ({}, 401), (bearer("caller"), 403)):
        assert (await http.head(path, headers=headers)).status_code == status
        # What the poll of a reader keeps is for a reader.
        if status != 200:
            assert (await http.get(path, headers=headers)).status_code == status


async def test_a_name_and_a_password(http: httpx.AsyncClient) -> None:
    for password, status in (("secret", 200), ("wrong", 401)):
        answer = await http.get("/health", headers=basic("bob", password))
        assert answer.status_code == status


async def test_who_tries_too_often_has_to_wait(http: httpx.AsyncClient) -> None:
    for _ in range(10):
        await http.get("/health", headers={"Authorization": "Bearer wrong"})
    answer = await http.get("/health", headers=bearer("admin"))
    assert is_problem(answer, 429)


async def test_a_preflight_takes_no_credentials(http: httpx.AsyncClient) -> None:
    answer = await http.options(THING, headers={"Origin": "http://page"})
    assert answer.status_code == 204
    assert "Authorization" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "path",
    [
        "/things/servient",
        "/things/servient/properties",
        "/things/servient/properties/things",
        "/things/servient/properties/deployments",
        "/things/servient/properties/invocations",
        "/things/servient/events/thingCreated",
        "/things/servient/actions",
        "/deploy",
        "/metrics",
    ],
)
async def test_who_may_see_some_things_alone_does_not_hear_of_the_others(
    http: httpx.AsyncClient, path: str
) -> None:
    headers = {"X-API-Key": KEY}
    assert (await http.get("/things", headers=headers)).json() == []
    answer = await http.get(path, headers=headers)
    assert answer.status_code == 403, answer.text
    assert "counter" not in answer.text
