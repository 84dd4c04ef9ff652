"""What a request gives a function: parameters by name, files by field name or as the body itself."""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from servient.bindings.http.form_data import is_form
from servient.bindings.http.messages import Request
from servient.errors import InvalidInput, ServientError
from servient.wot.content import OCTET_STREAM, Content, Value, essence, parse_json
from servient.wot.description import Affordance
from servient.wot.schema import is_file, media_type_of

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
# What says nothing of a file: `curl --data-binary @file` calls everything a form.
_UNTOLD = ("", OCTET_STREAM, "application/x-www-form-urlencoded")
# What an orchestrator's fetch sends for an object that has no files in it.
_NOISE = b"[object Object]"

Schemas: TypeAlias = Mapping[str, Mapping[str, Any]]


def takes_files(action: Affordance) -> bool:
    return any(map(is_file, _schemas(action).values()))


def read_parameters(action: Affordance, request: Request) -> Value:
    """The input of an action that takes no files. Raises InvalidInput, which names what is missing.

    Orchestrators send a body that means nothing with it: it is not looked at.
    """
    return _complete(action, _parameters(_schemas(action), request))


async def read_input(action: Affordance, request: Request) -> Value:
    """The input of any action. Raises InvalidInput, which names what is missing."""
    schemas = _schemas(action)
    files = {name: schema for name, schema in schemas.items() if is_file(schema)}
    members = _parameters(schemas, request)
    if files:
        members |= await _from_body(schemas, files, request)
    return _complete(action, members)


def _schemas(action: Affordance) -> Schemas:
    schemas: Schemas = action.input.document.get("properties", {}) if action.input else {}
    return schemas


def _parameters(schemas: Schemas, request: Request) -> dict[str, Value]:
    """Of one that is repeated, the first counts."""
    return {n: _parsed(text, schemas[n]) for n, text in reversed(request.query) if n in schemas}


def _complete(action: Affordance, members: dict[str, Value]) -> Value:
    for name in action.input.document.get("required", ()) if action.input else ():
        if name not in members:
            raise _missing(name, is_a_file=is_file(_schemas(action).get(name)))
    return members or None


async def _from_body(schemas: Schemas, files: Schemas, request: Request) -> dict[str, Value]:
    media_type = request.header("content-type") or ""
    if is_form(media_type):
        return _from_form(await request.form(), schemas, files)
    body = await request.body()
    if len(files) != 1 or not body or body == _NOISE:
        return {}
    [(name, schema)] = files.items()
    return {name: _typed(Content(body, media_type), schema)}


def _from_form(
    form: Mapping[str, Content | str], schemas: Schemas, files: Schemas
) -> dict[str, Value]:
    members = {name: _member(part, schemas[name]) for name, part in form.items() if name in schemas}
    if len(files) == 1 and not files.keys() & members.keys():
        # There is one file, and one is expected: it does not matter what its field is called.
        others = [p for n, p in form.items() if n not in schemas and isinstance(p, Content)]
        if len(others) == 1:
            [(name, schema)] = files.items()
            members[name] = _typed(others[0], schema)
    return members


def _member(part: Content | str, schema: Mapping[str, Any]) -> Value:
    if is_file(schema):
        return _typed(part if isinstance(part, Content) else Content(part.encode(), ""), schema)
    return _parsed(part if isinstance(part, str) else part.body.decode(errors="replace"), schema)


def _typed(content: Content, schema: Mapping[str, Any]) -> Content:
    """A file of the type that it came with, or else of the one that is declared."""
    told = essence(content.media_type) not in _UNTOLD
    return content if told else Content(content.body, media_type_of(schema))


def _parsed(text: str, schema: Mapping[str, Any]) -> Value:
    """A parameter's value; text that does not fit its schema is left for validation to refuse."""
    match schema.get("type"):
        case "string":
            return text
        case "integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "boolean" if text.lower() in ("true", "1"):
            return True
        case "boolean" if text.lower() in ("false", "0"):
            return False
    try:
        return parse_json(text)
    except ServientError:
        return text


def _missing(name: str, *, is_a_file: bool) -> InvalidInput:
    detail = (
        f"the file {name!r} is missing; send it as the field of that name of a form"
        if is_a_file
        else f"the parameter {name!r} is missing"
    )
    return InvalidInput(detail, [{"pointer": f"/{name}", "detail": detail}])
