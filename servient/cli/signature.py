"""An action in one line, as a function is written."""

from typing import Any

from servient.wot.schema import is_file, media_type_of


def signature_of(name: str, definition: Any) -> str:
    """`fibo(iterations: integer) → integer`; of a file, its media type."""
    schema = _object(_object(definition).get("input"))
    required = schema.get("required") or ()
    inputs = ", ".join(
        f"{member}{'' if member in required else '?'}: {_kind(each)}"
        for member, each in _object(schema.get("properties")).items()
    )
    output = _object(definition).get("output")
    return f"{name}({inputs}){f' → {_kind(output)}' if output is not None else ''}"


def _kind(schema: Any) -> str:
    return media_type_of(schema) if is_file(schema) else str(_object(schema).get("type", "any"))


def _object(value: Any) -> dict[str, Any]:
    """What others describe may be anything."""
    return value if isinstance(value, dict) else {}
