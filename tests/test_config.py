"""Settings: their sources, in their order, and the sentence that a bad one gets."""

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from servient.config import ConfigError, load_config


def test_defaults_are_safe() -> None:
    config = load_config()
    assert (config.host, config.port, config.real_websocket_port) == ("127.0.0.1", 5000, 5001)
    assert config.reachable_host == "127.0.0.1"
    assert config.topic_prefix == "wasm-servient/servient"


def test_who_listens_beyond_this_machine_is_announced() -> None:
    assert not load_config().is_announced
    assert load_config(announce=True).is_announced
    assert load_config(host="0.0.0.0", insecure=True).is_announced
    assert not load_config(host="0.0.0.0", insecure=True, announce=False).is_announced


@pytest.mark.parametrize(
    "url", ["orchestrator:3000", "ftp://a", "http://", "http:///x", "http://a b", "http://a:0"]
)
def test_an_orchestrator_is_a_url_of_http(url: str) -> None:
    with pytest.raises(ConfigError, match="orchestrator_url"):
        load_config(orchestrator_url=url)


@pytest.mark.parametrize(
    ("variable", "value", "setting", "expected"),
    [
        ("WASM_SERVIENT_NAME", "kitchen", "name", "kitchen"),
        ("WASMIOT_SUPERVISOR_NAME", "kitchen", "name", "kitchen"),
        ("SUPERVISOR_NAME", "kitchen", "name", "kitchen"),
        ("FLASK_APP", "kitchen", "name", "kitchen"),
        ("WASMIOT_SUPERVISOR_PORT", "5050", "port", 5050),
        ("SUPERVISOR_PORT", "5050", "port", 5050),
        ("FLASK_PORT", "5050", "port", 5050),
        ("WASMIOT_SUPERVISOR_IP", "192.0.2.7", "public_host", "192.0.2.7"),
        ("WASMIOT_MODULE_TIMEOUT_SECONDS", "3", "module_timeout_seconds", 3.0),
        ("INSTANCE_PATH", "/var/lib/x", "instance_path", Path("/var/lib/x")),
        ("WASM_SERVIENT_BINDINGS", "http, coap", "bindings", ("http", "coap")),
        ("DEFAULT_CAMERA_DEVICE", "0", "camera_source", "0"),
        ("WASMIOT_ORCHESTRATOR_URL", "http://o:3000", "orchestrator_url", "http://o:3000"),
        ("WASMIOT_REGISTER_RENEWAL_TIME", "60", "register_renewal_seconds", 60.0),
        ("EXTERNAL_LOGGING_ENABLED", "false", "external_logging", False),
        ("WASM_SERVIENT_ANNOUNCE", "1", "announce", True),
        ("WASM_SERVIENT_WITHDRAW_ON_STOP", "1", "withdraw_on_stop", True),
        ("WASMIOT_SUPERVISOR_NAME", "", "name", "servient"),
        ("WASMIOT_ORCHESTRATOR_URL", "", "orchestrator_url", None),
        ("WASM_SERVIENT_SENSOR_SOURCE", "21.5 40", "sensor_source", "21.5 40"),
        (
            "WASM_SERVIENT_RPC_TARGETS",
            '{"eye": "http://a:5/x"}',
            "rpc_targets",
            {"eye": "http://a:5/x"},
        ),
        (
            "WASM_SERVIENT_PING_NETWORKS",
            "10.0.0.0/8, 127.0.0.1",
            "ping_networks",
            (IPv4Network("10.0.0.0/8"), IPv4Network("127.0.0.1/32")),
        ),
    ],
)
def test_the_variables_of_a_supervisor_are_read(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, setting: str, expected: object
) -> None:
    monkeypatch.setenv(variable, value)
    assert getattr(load_config(), setting) == expected


def test_arguments_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "servient.toml"
    file.write_text('name = "from-file"\nport = 1\ncoap_port = 2\nbindings = ["http"]\n')
    monkeypatch.setenv("WASM_SERVIENT_PORT", "11")
    monkeypatch.setenv("WASM_SERVIENT_NAME", "from-environment")
    config = load_config(file, name="from-argument", host=None)
    assert (config.name, config.port, config.coap_port) == ("from-argument", 11, 2)
    assert config.bindings == ("http",)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"host": "0.0.0.0"}, "--insecure"),
        ({"host": "example.org"}, "--insecure"),
        ({"port": 70_000}, "port"),
        ({"bindings": "http,carrier-pigeon"}, "bindings"),
        ({"mqtt_broker": "http://example.org"}, "mqtt_broker"),
        ({"mqtt_prefix": "a/#"}, "mqtt_prefix"),
        ({"name": "../x"}, "name"),
        ({"rpc_targets": {"eye": "file:///etc/passwd"}}, "rpc_targets"),
        ({"ping_networks": "10.0.0.1/8"}, "ping_networks"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_setting_is_named(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        load_config(**arguments)


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml"):
        load_config(tmp_path / "missing.toml")
    file = tmp_path / "bad.toml"
    file.write_text("name = ")
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        load_config(file)
    file.write_text("colour = 'red'")
    with pytest.raises(ConfigError, match="colour"):
        load_config(file)
