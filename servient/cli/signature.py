"""An action in one line, as a function is written."""

from collections.abc import Mapping
from typing import Any

from servient.wot.schema import is_file, media_type_of


def signature_of(name: str, definition: Mapping[str, Any]) -> str:
    """`fibo(iterations: integer) → integer`; of a file, its media type."""
    schema = definition.get("input") or {}
    members = schema.get("properties") or {}
    required = schema.get("required") or ()
    inputs = ", ".join(
        f"{member}{'' if member in required else '?'}: {_kind(each)}"
        for member, each in members.items()
    )
    output = definition.get("output")
    return f"{name}({inputs}){f' → {_kind(output)}' if output is not None else ''}"


def _kind(schema: Mapping[str, Any]) -> str:
    return media_type_of(schema) if is_file(schema) else str(schema.get("type", "any"))
