"""What a person types as the input of an action, as the value that its schema wants."""

import json
import mimetypes
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from converters.errors import ConversionError
from servient.cli.documents import FILE_LIMIT_BYTES, read_file
from servient.cli.output import CommandFailed, ExitCode
from servient.wot.content import OCTET_STREAM, Content, Value, parse_json
from servient.wot.schema import is_file

STDIN = "-"

# A name, and not the beginning of JSON or the name of a file.
_PAIR = re.compile(r"([^=\s{\[\"@][^=]*)=(.*)", re.DOTALL)
_WORDS = {"true": True, "false": False, "yes": True, "no": False}


def parse_input(words: Sequence[str], files: Sequence[str], schema: Mapping[str, Any]) -> Value:
    """JSON, name=value pairs, values in order, `@file` or `-`, with the `files` as members.

    Raises CommandFailed.
    """
    value = _value(words, schema)
    if not files:
        return value
    if value is not None and not isinstance(value, dict):
        raise _usage("--file adds members to an input of name=value pairs or a JSON object")
    members = _members(schema)
    return {**(value or {}), **dict(_file_member(each, members) for each in files)}


def parse_value(text: str, schema: Mapping[str, Any]) -> Value:
    """One value as its schema wants it: JSON, `@file`, `-`, or bare text for a string."""
    if text == STDIN or text.startswith("@"):
        return _read(text, schema)
    return _typed(text, schema, "the value")


def _value(words: Sequence[str], schema: Mapping[str, Any]) -> Value:
    if not words:
        return None
    if len(words) == 1 and (words[0] == STDIN or words[0].startswith("@")):
        return _read(words[0], schema)
    pairs = [_PAIR.fullmatch(word) for word in words]
    if all(pairs) and schema.get("type", "object") == "object":
        members = _members(schema)
        return {
            found[1]: _member(found[1], found[2], members.get(found[1], {}))
            for found in pairs
            if found
        }
    if schema.get("type") == "object" and words[0][:1] != "{":
        return _in_order(words, _members(schema))
    if len(words) > 1:
        raise _usage(f"{words[1]!r} is one input too many: this takes one, as JSON")
    return _typed(words[0], schema, "the input")


def _in_order(words: Sequence[str], members: Mapping[str, Any]) -> dict[str, Value]:
    """Values alone, which are those of the members in their order."""
    if len(words) > len(members):
        takes = ", ".join(f"{name}=…" for name in members) or "no input that has a name"
        raise _usage(f"{words[len(members)]!r} is one input too many: this takes {takes}")
    return {
        name: _member(name, word, schema)
        for word, (name, schema) in zip(words, members.items(), strict=False)
    }


def _member(name: str, text: str, schema: Mapping[str, Any]) -> Value:
    if is_file(schema) and text.startswith("@"):
        return _content(_bytes(text), text, schema)
    return _typed(text, schema, name)


def _file_member(text: str, members: Mapping[str, Any]) -> tuple[str, Content]:
    name, mark, path = text.partition("=")
    if not mark or not name or not path:
        raise _usage(f"--file {text!r} is not name=path")
    return name, _content(_bytes(f"@{path}"), path, members.get(name, {}))


def _typed(text: str, schema: Mapping[str, Any], name: str) -> Value:
    kind = schema.get("type")
    parse = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parse is not None:
        try:
            return parse(text)
        except (ValueError, KeyError, RecursionError) as error:
            if text[:1] and text[0] in '{["' and isinstance(error, json.JSONDecodeError):
                raise _usage(f"{name} is not JSON: {error}") from error
            article = "an" if str(kind)[0] in "aeiou" else "a"
            raise _usage(f"{name}: {text[:60]!r} is not {article} {kind}") from error
    try:
        return parse_json(text)
    except Exception as error:
        if text[:1] in '{["':
            raise _usage(f"{name} is not JSON: {error}") from error
        return text  # a word: the Thing says whether it will do


def _integer(text: str) -> int:
    number = json.loads(text)
    if isinstance(number, float) and number.is_integer():
        return int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError(text)
    return number


def _number(text: str) -> float:
    number = parse_json(text) if text.lower() not in ("nan", "inf", "-inf") else None
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(text)
    return number


def _nothing(text: str) -> None:
    if text not in ("", "null"):
        raise ValueError(text)


def _structured(kind: type) -> Callable[[str], Value]:
    def parse(text: str) -> Value:
        value = json.loads(text)
        if not isinstance(value, kind):
            raise ValueError(text)
        return value

    return parse


_PARSERS: Mapping[str, Callable[[str], Value]] = {
    "integer": _integer,
    "number": _number,
    "boolean": lambda text: _WORDS[text.lower()],
    "string": lambda text: text,
    "null": _nothing,
    "object": _structured(dict),
    "array": _structured(list),
}


def _read(word: str, schema: Mapping[str, Any]) -> Value:
    """Of `@file` or standard input: the file itself where one is wanted, else the JSON in it."""
    body = _bytes(word)
    wanted = [each for each in _members(schema).values() if is_file(each)]
    if is_file(schema):
        return _content(body, word, schema)
    try:
        return parse_json(body)
    except Exception as error:
        if len(wanted) == 1:
            return _content(body, word, wanted[0])
        if schema.get("type") == "string":
            return body.decode("utf-8", "replace")
        raise _usage(f"{_called(word)} is not JSON: {error}") from error


def _content(body: bytes, name: str, schema: Mapping[str, Any]) -> Content:
    declared = schema.get("contentMediaType")
    if isinstance(declared, str) and "*" not in declared:
        return Content(body, declared)
    return Content(body, mimetypes.guess_type(name)[0] or OCTET_STREAM)


def _bytes(word: str) -> bytes:
    if word == STDIN:
        body = sys.stdin.buffer.read(FILE_LIMIT_BYTES + 1)
        if len(body) > FILE_LIMIT_BYTES:
            raise _usage(f"standard input has more than {FILE_LIMIT_BYTES} bytes")
        return body
    try:
        return read_file(Path(word[1:]))
    except ConversionError as error:
        raise _usage(error.message) from error


def _members(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    members = schema.get("properties")
    if not isinstance(members, dict):
        return {}
    return {name: each for name, each in members.items() if isinstance(each, dict)}


def _called(word: str) -> str:
    return "standard input" if word == STDIN else word[1:]


def _usage(message: str) -> CommandFailed:
    return CommandFailed(message, ExitCode.USAGE)
