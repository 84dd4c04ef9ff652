"""What Schemathesis is told about a servient; loaded by it, not by pytest."""

import json
from typing import Any

import schemathesis

# What a module does on its own account: it fails, traps, or does not come to an end.
OF_MODULES = frozenset({"action-failed", "module-trapped", "deadline-exceeded"})
PREFIX = "urn:wasm-servient:problem:"


@schemathesis.check
def only_modules_fail(_context: Any, response: Any, _case: Any) -> None:
    """A server error says which module's function could not do what it was asked."""
    if response.status_code < 500:
        return
    problem = json.loads(response.content or b"{}")
    kind = str(problem.get("type", "")).removeprefix(PREFIX)
    is_told = kind in OF_MODULES and "/actions/" in problem.get("instance", "")
    assert is_told, f"{response.status_code}: {problem}"


@schemathesis.serializer("image/x-portable-pixmap")
def as_bytes(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()
