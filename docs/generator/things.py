"""The Thing Models of the Things that a servient makes."""

import re
from collections.abc import Mapping
from typing import Any

from docs.generator.markdown import code, page, table
from thing_descriptions.models import MODULE_MODEL, SERVIENT_MODEL, load_model

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
KINDS = {"properties": "Properties", "actions": "Actions", "events": "Events"}
INTRODUCTION = """\
A servient serves two kinds of Things; both are Thing Models (TD 1.1 section 9) in
[thing_descriptions/](../../thing_descriptions/). Of the model of modules everything that is named after a
function is there once for each function."""


def things() -> str:
    return page(
        "Things",
        INTRODUCTION,
        *_model("The servient's Thing", SERVIENT_MODEL),
        *_model("A module's Thing", MODULE_MODEL),
    )


def _model(title: str, file: str) -> list[str]:
    model = load_model(file)
    parts = [f"## {title}", _text(model["description"])]
    for kind, heading in KINDS.items():
        rows = (_affordance(name, each) for name, each in model.get(kind, {}).items())
        parts += [f"### {heading}", table(("name", "means", "values"), rows)]
    return parts


def _affordance(name: str, affordance: Mapping[str, Any]) -> tuple[str, str, str]:
    description = _text(affordance["description"])
    if affordance.get("observable"):
        description += " Observable."
    if "wasm:scope" in affordance:
        description += f" Takes the scope `{affordance['wasm:scope']}`."
    if "type" in affordance or "oneOf" in affordance:
        return code(name), description, _schema(affordance)
    given = ((role, affordance[role]) for role in ("input", "output", "data") if role in affordance)
    return code(name), description, "; ".join(f"{role}: {_schema(each)}" for role, each in given)


def _text(description: str) -> str:
    """What stands in for a name is written as one (TD 1.1 section 9.3.4)."""
    return _PLACEHOLDER.sub(lambda match: f"*{match[1].lower()}*", description)


def _schema(schema: Mapping[str, Any]) -> str:
    """Its type and its members' names, those that may be left out with a question mark."""
    if "oneOf" in schema:
        return " or ".join(dict.fromkeys(_schema(each) for each in schema["oneOf"]))
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {_schema(schema.get('items', {}))}"
    required = schema.get("required", [])
    names = [each if each in required else f"{each}?" for each in schema.get("properties", {})]
    return f"{code('{' + ', '.join(names) + '}')}" if names else kind
