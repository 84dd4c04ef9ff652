"""Every setting: its default, its variables and what it means."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docs.generator.markdown import code, codes, page, table, words
from servient.config import Config, IssuerSettings, PrincipalSettings
from servient.config.section import PREFIX, Section

INTRODUCTION = """\
A setting is given as an option of `wasm-servient run` where there is one, as an environment variable, or as a
line of the TOML file that `--config` names; the first of these that there is counts. The variables without
`WASM_SERVIENT_` are those of the wasmiot supervisors. Lists are written with commas between their members in
variables and options, and as lists in the file."""


def settings() -> str:
    sections = [each for each in Config.__bases__ if issubclass(each, Section)]
    return page(
        "Settings",
        INTRODUCTION,
        *(_section(each) for each in sections),
        _entries("principals", PrincipalSettings),
        _entries("issuers", IssuerSettings),
    )


def _section(section: type[Section]) -> str:
    rows = [
        (code(name), _default(field), codes(_variables(name, field)), field.description or "")
        for name, field in Config.model_fields.items()
        if name in section.model_fields
    ]
    head = ("setting", "default", "environment", "means")
    title = (sys.modules[section.__module__].__doc__ or "").rstrip(".")
    return f"## {words(title)}\n\n{table(head, rows)}"


def _variables(name: str, field: FieldInfo) -> Iterator[str]:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        yield from (str(each) for each in alias.choices if each != name)
    else:
        yield PREFIX + name.upper()


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "has to be given"
    return "" if value in (None, (), {}) else code(_written(value))


def _written(value: Any) -> str:
    """As in the file."""
    if isinstance(value, tuple):
        return json.dumps([str(each) for each in value])
    if isinstance(value, Mapping):
        return json.dumps(dict(value))
    if isinstance(value, Path | SecretStr):
        return json.dumps(str(value))
    return json.dumps(value)


def _entries(setting: str, entry: type[BaseModel]) -> str:
    rows = (
        (code(name), _default(field), code(_type(entry, name)))
        for name, field in entry.model_fields.items()
    )
    head = ("member", "default", "is")
    return f"## Members of `[[{setting}]]`\n\n{words(entry.__doc__ or '')}\n\n{table(head, rows)}"


def _type(entry: type[BaseModel], name: str) -> str:
    schema = entry.model_json_schema()["properties"][name]
    options = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    return " or ".join(_of(each) for each in options)


def _of(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_of(schema['items'])}"
    kind = str(schema.get("format") or schema.get("type", "any"))
    return f"{kind} {schema['pattern']}" if "pattern" in schema else kind
