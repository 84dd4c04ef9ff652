"""What settings let in, and those that are an error at start: never is there less than was meant."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from servient.config import Config, ConfigError, load_config
from servient.entrance import Entrance
from servient.security.secrets import hash_for_mosquitto, hash_token

TOKEN = {"name": "ann", "scopes": ["read"], "token_sha256": hash_token("t")}
MEMBER = {"name": "bob", "scopes": ["read"], "mqtt_password": hash_for_mosquitto("p")}
OSCORE = {"name": "cam", "scopes": ["read"], "oscore": "/nowhere"}
GUESTS = {"name": "guests", "scopes": ["read"]}
ISSUER = {"issuer": "i", "audience": "a", "jwks_url": "https://issuer.example/jwks"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"principals": [TOKEN], "bindings": ("http", "coap")}, "coap needs .*oscore"),
        ({"principals": [TOKEN], "bindings": ("http", "mqtt")}, "mqtt needs .*mqtt_password"),
        ({"principals": [MEMBER], "bindings": ("http",)}, "http needs"),
        ({"principals": [OSCORE], "bindings": ("websocket",)}, "websocket needs"),
        ({"principals": [TOKEN]}, "bindings"),
        ({"issuers": [ISSUER]}, "bindings"),
        ({"trust_orchestrator": True, "bindings": ("websocket",)}, "websocket needs"),
        (
            {"principals": [TOKEN, MEMBER], "bindings": ("mqtt",), "embedded_broker": "amqtt"},
            "amqtt",
        ),
        (
            {"principals": [MEMBER], "bindings": ("mqtt",), "mqtt_broker": "mqtt://b"},
            "mqtt_principal",
        ),
        ({"principals": [MEMBER], "bindings": ("mqtt",), "mqtt_principal": "bob"}, "private"),
        ({"principals": [TOKEN], "bindings": ("http",), "mqtt_principal": "none"}, "no principal"),
        ({"mqtt_principal": "none"}, "no principal"),
        ({"principals": [GUESTS], "bindings": ("http",)}, "no credentials"),
        ({"principals": [TOKEN, TOKEN], "bindings": ("http",)}, "two principals"),
        (
            {"issuers": [{**ISSUER, "algorithms": ["HS256"]}], "bindings": ("http",)},
            "algorithms",
        ),
        (
            {
                "issuers": [{**ISSUER, "jwks_url": None, "key_file": "/nowhere"}],
                "bindings": ("http",),
            },
            "cannot be read",
        ),
    ],
)
def test_what_could_not_be_checked_is_an_error(
    settings: Callable[..., Config], changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        Entrance(settings(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"issuers": [{**ISSUER, "jwks_url": "http://issuer.example/jwks"}]},
        {"issuers": [{**ISSUER, "key_file": "x"}]},
        {"issuers": [{"issuer": "i", "audience": "a"}]},
        {"principals": [{**TOKEN, "scopes": []}]},
        {"principals": [{**TOKEN, "scope": ["read"]}]},
        {"principals": [{**TOKEN, "mqtt_password": "plain"}]},
        {"principals": [{**TOKEN, "mqtt_password": "$7$1$a:b$c"}]},
        {"principals": [{**TOKEN, "name": "a/b"}]},
        {"host": "0.0.0.0"},
        {"unknown": True},
    ],
)
def test_settings_that_cannot_be_meant_are_errors(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        load_config(**changes)


def test_without_credentials_it_is_open_on_this_machine_alone(
    settings: Callable[..., Config], caplog: pytest.LogCaptureFixture
) -> None:
    entrance = Entrance(settings())
    assert entrance.policy.is_open
    assert entrance.authenticator() is None
    assert entrance.oscore is None
    assert entrance.broker_access(None) is None
    assert not caplog.records
    assert Entrance(settings(host="0.0.0.0", insecure=True)).policy.is_open
    assert "deploy modules" in caplog.text


def test_each_binding_gets_its_own_credentials(settings: Callable[..., Config]) -> None:
    everybody = [TOKEN, MEMBER, OSCORE]
    entrance = Entrance(settings(principals=everybody, embedded_broker="mosquitto"))
    assert not entrance.policy.is_open
    assert list(entrance.oscore or ()) == [Path("/nowhere")]
    assert entrance.doorkeeper is not None
    assert "bob:$7$" in entrance.doorkeeper.passwords()


def test_whoever_another_broker_lets_in_is_one_principal(settings: Callable[..., Config]) -> None:
    changes = {"principals": [TOKEN, GUESTS], "mqtt_principal": "guests", "bindings": ("mqtt",)}
    entrance = Entrance(settings(**changes, mqtt_broker="mqtt://b"))
    access = entrance.broker_access(None)
    assert access is not None
    assert access.principal.name == "guests"
    assert access.admit is None
