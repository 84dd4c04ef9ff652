"""Files that a command is given, as values of JSON: written in JSON or in YAML."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from converters.errors import ConversionError

FILE_LIMIT_BYTES = 64 * 1024 * 1024


def read_file(path: Path) -> bytes:
    """Raises ConversionError when the file cannot be read or is too large."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT_BYTES + 1)
    except OSError as error:
        raise ConversionError("", f"cannot read {path}: {error.strerror}") from error
    if len(content) > FILE_LIMIT_BYTES:
        raise ConversionError("", f"{path} has more than {FILE_LIMIT_BYTES} bytes")
    return content


def read_text(path: Path) -> str:
    """Raises ConversionError when it is not UTF-8."""
    return _to_text(path, read_file(path))


def _to_text(path: Path, body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConversionError("", f"{path} is not UTF-8 text") from error


def read_document(path: Path) -> object:
    """A JSON or YAML file. Raises ConversionError."""
    return parse_document(path, read_file(path))


def parse_document(path: Path, body: bytes) -> object:
    """What a JSON or YAML file holds. Raises ConversionError."""
    text = _to_text(path, body)
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ConversionError("", f"{path} is nested too deeply") from error
    except ValueError as error:
        if text.lstrip().startswith(("{", "[")):
            raise ConversionError("", f"{path} is not JSON: {error}") from error
    try:
        return _with_text_names(yaml.load(text, _Loader), 0)  # noqa: S506 - a safe loader of ours
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        words = " ".join(str(error).split())[:300]
        raise ConversionError("", f"{path} is neither JSON nor YAML: {words}") from error


class FilesBeside:
    """The documents that one refers to, as far as they are in its folder or below it."""

    def __init__(self, path: Path) -> None:
        self._folder = path.resolve().parent

    def __call__(self, name: str) -> object:
        parts = urlsplit(name)
        if parts.scheme or parts.netloc:
            raise ConversionError("", "only files beside the document are read, not URLs")
        path = (self._folder / unquote(parts.path)).resolve()
        if not path.is_relative_to(self._folder):
            raise ConversionError("", "only files beside the document are read")
        return read_document(path)


class _Loader(yaml.SafeLoader):
    """Of YAML's values those that JSON has: a date stays a text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's way to say it
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _with_text_names(value: Any, depth: int) -> Any:
    """Member names of YAML may be numbers: the status codes of responses are."""
    if depth > 200:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {
            name if isinstance(name, str) else json.dumps(name): _with_text_names(each, depth + 1)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_with_text_names(each, depth + 1) for each in value]
    return value
