"""A Thing whose behaviour is known, for tests that measure it."""

from typing import Any

HANDLER_SECONDS = 0.05

LAB: dict[str, Any] = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:example:lab",
    "title": "Lab",
    "security": ["nosec_sc"],
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "properties": {
        "level": {"type": "integer", "readOnly": True},
        "setting": {"type": "integer", "observable": True},
    },
    "actions": {
        "work": {"input": {"type": "integer"}, "output": {"type": "integer"}},
        "relay": {"input": {"type": "integer"}, "output": {"type": "integer"}},
    },
    "events": {"ticked": {"data": {"type": "integer"}}},
}
