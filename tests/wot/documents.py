"""Thing Descriptions for the tests of the Web of Things layer."""

from typing import Any


def td(title: str = "Lamp", **members: Any) -> dict[str, Any]:
    """A small Thing Description with the given members."""
    return {
        "@context": [
            "https://www.w3.org/2022/wot/td/v1.1",
            {"wasm": "urn:wasm-servient:vocabulary#"},
        ],
        "title": title,
        "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
        "security": ["nosec_sc"],
        **members,
    }


def action(name: str, **members: Any) -> dict[str, Any]:
    """The definition of an action whose outcome is published, under the names of our own Things."""
    return {
        "wasm:resultProperty": f"{name}_result",
        "wasm:completedEvent": f"{name}_completed",
        "wasm:failedEvent": f"{name}_failed",
        **members,
    }


def worker(name: str = "work", title: str = "Worker", **members: Any) -> dict[str, Any]:
    """A Thing with one action that publishes its outcomes."""
    return td(
        title,
        properties={f"{name}_result": {"readOnly": True, "observable": True, "type": "integer"}},
        actions={name: action(name, **members)},
        events={f"{name}_completed": {"data": {}}, f"{name}_failed": {"data": {}}},
    )
