"""The layers: what each package may import, and where third-party engines are imported."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("servient", "converters", "thing_descriptions", "emulation")

# Longest prefix wins. `servient.version` may be imported by all.
MAY_IMPORT = {
    "servient.background": set[str](),
    "servient.errors": set[str](),
    "servient.config": set[str](),
    "servient.version": set[str](),
    "servient.journal": set[str](),
    "thing_descriptions": set[str](),
    "converters": {"thing_descriptions"},
    "servient.wot": {"servient.errors", "thing_descriptions"},
    "servient.wasm": {"servient.errors", "thing_descriptions"},
    # The types by which it converts values are those by which the converters describe them.
    "servient.wasm.components": {
        "servient.wasm",
        "servient.errors",
        "converters.component_types",
    },
    "servient.security": {"servient.wot", "servient.background", "servient.errors"},
    "servient.bindings": {
        "servient.security",
        "servient.wot",
        "servient.errors",
        "servient.journal",
    },
    "servient.bindings.mqtt": {
        "servient.bindings.paths",
        "servient.mqtt",
        "servient.security",
        "servient.wot",
        "servient.errors",
    },
    "servient.clients": {"servient.mqtt", "servient.wot", "servient.errors"},
    "servient.mqtt": set[str](),
    "servient.discovery": {"servient.wot", "servient.background", "servient.errors"},
    "servient.telemetry": {
        "servient.wot",
        "servient.background",
        "servient.errors",
        "servient.journal",
    },
    "servient.storage": {"servient.wot", "servient.background", "servient.errors"},
    "servient.deployment": {
        "servient.storage",
        "servient.wot",
        "servient.wasm",
        "converters",
        "thing_descriptions",
        "servient.errors",
        "servient.journal",
    },
    "servient.console": {"servient.wot", "servient.bindings", "servient.errors"},
    "emulation": {
        "servient.app",
        "servient.bindings",
        "servient.config",
        "servient.clients",
        "servient.wot",
        "servient.background",
        "servient.errors",
    },
}
# The composition root and what starts it.
TOP = {"servient", "servient.app", "servient.entrance", "servient.__main__"}
TOP_PACKAGES = ("servient.cli", "servient.composition")

ONLY_IN = {
    "wasmtime": {"servient.wasm"},
    "aiocoap": {"servient.bindings.coap", "servient.clients.coap"},
    "httptools": {"servient.bindings.http", "servient.telemetry.poster"},
    "amqtt": {"servient.bindings.mqtt"},
    "paho": {"servient.mqtt.paho"},
    "pydantic_settings": {"servient.config"},
    "typer": {"servient.cli", "emulation.cli", "emulation.reporting"},
    "prometheus_client": {"servient.telemetry.metrics.exposition"},
    "opentelemetry": {"servient.telemetry.traces"},
    "rich": {"servient.cli", "emulation.command", "emulation.live"},
    "psutil": {"servient.telemetry", "emulation.metrics"},
    "zeroconf": {"servient.discovery"},
}


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=str)
def test_imports_point_down(name: str, path: Path) -> None:
    if name in TOP or any(is_in(name, package) for package in TOP_PACKAGES):
        return
    layer = max((p for p in MAY_IMPORT if is_in(name, p)), key=len, default=None)
    assert layer is not None, f"{name} belongs to no layer"
    allowed = MAY_IMPORT[layer] | {layer, "servient.version"}
    for imported in imports(path):
        if any(is_in(imported, package) for package in PACKAGES):
            assert any(is_in(imported, package) for package in allowed), (
                f"{name} must not import {imported}"
            )


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=str)
def test_engines_are_imported_in_one_place(name: str, path: Path) -> None:
    for imported in imports(path):
        places = ONLY_IN.get(imported.partition(".")[0])
        assert places is None or any(is_in(name, place) for place in places), (
            f"{name} must not import {imported}"
        )
