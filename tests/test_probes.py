"""Whether it lives and is ready: for everybody to ask, and with nothing else to learn."""

from collections.abc import Callable

import httpx
import pytest

from servient.app import App
from servient.config import Config
from servient.security.secrets import hash_token

SCOPES = {"name": "reader", "scopes": ["read"]}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_no_credentials_are_needed(path: str, settings: Callable[..., Config]) -> None:
    somebody = {**SCOPES, "token_sha256": hash_token("a token")}
    config = settings(principals=[somebody], bindings=("http",))
    async with (
        App(config) as app,
        httpx.AsyncClient(base_url=app.addresses()["http"]) as http,
    ):
        assert (await http.get("/health")).status_code == 401
        answer = await http.get(path)
    assert answer.status_code == 200
    assert list(answer.json()) == ["status"]
    assert answer.headers["Cache-Control"] == "no-store"


async def test_who_drains_is_not_ready(app: App) -> None:
    async with httpx.AsyncClient(base_url=app.addresses()["http"]) as http:
        await app.drain()
        assert (await http.get("/health/ready")).status_code == 503
        assert (await http.get("/health/live")).status_code == 200
        refused = await http.post("/deploy", json={})
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
