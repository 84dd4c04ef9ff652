"""Servients that want credentials: what they are shown, and nobody else is."""

import json
from collections.abc import Callable
from pathlib import Path

from servient.app import App
from servient.config import Config
from servient.security.secrets import hash_for_mosquitto, hash_token
from tests.cli.command import command
from tests.cli.test_failures import stranger
from tests.security.people import PASSWORD, PRINCIPALS, TOKENS
from tests.security.test_certificate import write_pair
from tests.things import expose_lamp
from tests.tools import needs

FIBONACCI = "examples/fibonacci/fibonacci.wasm"


async def test_scopes_decide_and_the_token_is_never_shown(settings: Callable[..., Config]) -> None:
    async with App(settings(bindings=("http", "websocket"), principals=PRINCIPALS)) as app:
        url = ("--url", app.addresses()["http"])
        (await command("things", *url)).failed(4, "WASM_SERVIENT_TOKEN", "--token")
        (await command("things", *url, "--token", "wrong")).failed(4, "credentials")
        for token in ("secret\nX: y", "sécret"):
            ended = await command("things", *url, "--token", token)
            ended.failed(2, "a token has only")
            assert "cret" not in ended.err
        reader = {"WASM_SERVIENT_TOKEN": TOKENS["reader"]}
        assert (await command("things", *url, env=reader)).code == 0
        ended = await command("deploy", FIBONACCI, *url, env=reader)
        ended.failed(4, "do not allow it")
        assert TOKENS["reader"] not in ended.out + ended.err
        admin = {"WASM_SERVIENT_TOKEN": TOKENS["admin"]}
        assert (await command("deploy", FIBONACCI, *url, env=admin)).code == 0
        for protocol in ("http", "ws"):
            over = ("-p", protocol, *url)
            invoke = ("invoke", "fibonacci", "fibo", "7", *over)
            assert (await command(*invoke, env=admin)).json == 21
            (await command(*invoke, env=reader)).failed(4, "do not allow it")
        shown = await command("things", "--help", env=admin)
        assert TOKENS["admin"] not in shown.out


async def test_a_password(settings: Callable[..., Config]) -> None:
    bob = [each for each in PRINCIPALS if each["name"] == "bob"]
    async with App(settings(bindings=("http", "websocket"), principals=bob)) as app:
        bobs = ("--user", "bob", "--token", PASSWORD, "--url", app.addresses()["http"])
        for protocol in ("http", "ws"):
            assert (await command("read", "servient", "health", "-p", protocol, *bobs)).json
        (await command("read", "servient", "health", *bobs[2:])).failed(4)


async def test_over_mqtt(settings: Callable[..., Config]) -> None:
    needs("mosquitto")
    token = TOKENS["admin"]
    ann = {
        "name": "ann",
        "scopes": ["read", "invoke"],
        "token_sha256": hash_token(token),
        "mqtt_password": hash_for_mosquitto(token),
    }
    async with App(settings(bindings=("http", "mqtt"), principals=[ann])) as app:
        expose_lamp(app.wot)
        url = ("--url", app.addresses()["http"], "--token", token)
        invoke = ("invoke", "lamp:1", "double", "2", "-p", "mqtt", *url)
        assert (await command(*invoke, "--user", "ann")).json == 4
        (await command(*invoke)).failed(2, "--user")
        ended = await command(*invoke, "--user", "eve")
        assert ended.code in (3, 4), ended


async def test_nobody_else_is_shown_the_token(settings: Callable[..., Config]) -> None:
    async with App(settings(bindings=("http",))) as app, stranger(b"{}") as elsewhere:
        thing = expose_lamp(app.wot)
        secret = ("--token", TOKENS["admin"], "--url", app.addresses()["http"])
        await command("td", f"{elsewhere.url}/td", *secret)
        td = app.servient.td(thing)
        for form in td["actions"]["toggle"]["forms"]:
            form["href"] = f"{elsewhere.url}/toggle"
        file = app.config.instance_path / "td.json"
        file.write_text(json.dumps(td))
        await command("invoke", str(file), "toggle", *secret)
        assert len(elsewhere.requests) == 2
        assert all(TOKENS["admin"].encode() not in each for each in elsewhere.requests)
        await command("things", "--token", TOKENS["admin"], "--url", elsewhere.url)
        assert TOKENS["admin"].encode() in elsewhere.requests[-1]


async def test_certificates_of_ones_own(settings: Callable[..., Config], tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path, "first")
    config = settings(
        bindings=("http", "websocket"),
        tls_certificate=certificate,
        tls_key=key,
        public_host="localhost",
    )
    async with App(config) as app:
        expose_lamp(app.wot)
        url = ("--url", app.addresses()["http"])
        (await command("things", *url)).failed(3, "is not trusted", "--ca")
        (await command("things", *url, "--ca", str(key))).failed(2, "--ca")
        (await command("things", *url, "--ca", str(tmp_path / "no"))).failed(2, "--ca")
        trusting = ("--ca", str(certificate), *url)
        for protocol in ("http", "ws"):
            ended = await command("invoke", "lamp:1", "double", "2", "-p", protocol, *trusting)
            assert ended.json == 4
        plain = app.addresses()["http"].replace("https", "http")
        (await command("things", "--url", plain)).failed(3)
