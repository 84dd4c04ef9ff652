"""Records of invocations as JSON texts, with the files in them apart."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from servient.errors import ActionFailed, ServientError
from servient.wot.content import Content, Value
from servient.wot.json_text import make_encoder
from servient.wot.record import NOTHING, Record, Status
from servient.wot.stored_file import StoredFile

# Where in a record a file is: the names and indices that lead to it.
Place: TypeAlias = tuple[str | int, ...]


class Document(NamedTuple):
    """A record's text, in which files are null, and the files by their places."""

    record: Record
    text: str
    files: Mapping[Place, Content | StoredFile]


def to_text(record: Record) -> str | None:
    """The text of a record without files, None when it has some or what JSON has no word for.

    That of most is put together of parts; of others, of its members.
    """
    try:
        if record.error or record.files or record.notes or record.ended_at_seconds is None:
            return _to_text(_members(record))
        text = (
            f'{{"thing":{_quoted(record.thing)},"action":{_quoted(record.action)}'
            f',"requestedAt":{record.requested_at_seconds!r},"status":"{record.status}"'
            f',"endedAt":{record.ended_at_seconds!r}'
        )
        if record.input is not None:
            text += f',"input":{_to_text(record.input)}'
        if record.output is not None:
            text += f',"output":{_to_text(record.output)}'
        return (
            f'{text},"context":{_to_text(dict(record.context))}}}' if record.context else text + "}"
        )
    except (TypeError, ValueError, RecursionError):
        return None


def to_document(record: Record) -> Document:
    """What a program handed in that JSON has no word for is left out."""
    members = _members(record)
    try:
        files = dict(_files(members, ()))
        return Document(record, _to_text(_without_files(members)), files)
    except (TypeError, ValueError, RecursionError):
        rest = record._replace(input=None, output=None, files=NOTHING)
        return Document(rest, _to_text(_members(rest)), {})


_to_text = make_encoder()
_quoted = lru_cache(maxsize=1024)(_to_text)  # of names


def _members(record: Record) -> dict[str, Any]:
    members: dict[str, Any] = {
        "thing": record.thing,
        "action": record.action,
        "requestedAt": record.requested_at_seconds,
        "status": record.status.value,
    }
    if record.ended_at_seconds is not None:
        members["endedAt"] = record.ended_at_seconds
    values = {"input": record.input, "output": record.output}
    members |= {name: value for name, value in values.items() if value is not None}
    mappings = {"context": record.context, "files": record.files, "notes": record.notes}
    members |= {name: dict(mapping) for name, mapping in mappings.items() if mapping}
    if record.error is not None:
        members["error"] = _from_error(record.error)
    return members


def _from_error(error: ServientError) -> dict[str, Any]:
    members: dict[str, Any] = {"name": type(error).__name__, "detail": error.detail}
    if error.faults:
        members["faults"] = list(error.faults)
    return members


def _files(value: Value, place: Place) -> Iterator[tuple[Place, Content | StoredFile]]:
    if isinstance(value, Content | StoredFile):
        yield place, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _files(member, (*place, name))
    elif isinstance(value, list | tuple):
        for index, element in enumerate(value):
            yield from _files(element, (*place, index))


def _without_files(value: Value) -> Value:
    if isinstance(value, Content | StoredFile):
        return None
    if isinstance(value, dict):
        return {name: _without_files(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_without_files(element) for element in value]
    return value


def with_files(record: Record, files: Mapping[Place, StoredFile]) -> Record:
    """A record with files in the places of those that it has."""
    if not files:
        return record
    return record._replace(
        input=_placed(record.input, ("input",), files),
        output=_placed(record.output, ("output",), files),
        files=_placed(dict(record.files), ("files",), files),
    )


def _placed(value: Value, place: Place, files: Mapping[Place, StoredFile]) -> Value:
    if place in files:
        return files[place]
    if isinstance(value, dict):
        return {name: _placed(member, (*place, name), files) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_placed(each, (*place, index), files) for index, each in enumerate(value)]
    return value


def parse_document(number: int, text: str, files: Mapping[Place, StoredFile]) -> Record:
    """The record that was written as a document, with its files in their places."""
    members = json.loads(text)
    for (*parents, last), file in files.items():
        holder = members
        for step in parents:
            holder = holder[step]
        holder[last] = file
    ended_at = members.get("endedAt")
    error = members.get("error")
    return Record(
        number,
        members["thing"],
        members["action"],
        members.get("input"),
        members.get("context", {}),
        _to_seconds(members["requestedAt"]),
        Status(members["status"]),
        members.get("output"),
        _to_error(error) if error else None,
        members.get("files", {}),
        members.get("notes", {}),
        None if ended_at is None else _to_seconds(ended_at),
    )


def _to_seconds(written: float | str) -> float:
    """Until 0.1 there stood texts in RFC 3339."""
    return datetime.fromisoformat(written).timestamp() if isinstance(written, str) else written


def _to_error(members: Mapping[str, Any]) -> ServientError:
    kind = next((each for each in _kinds() if each.__name__ == members["name"]), ActionFailed)
    # Not by its constructor, which may want something else than the sentence.
    error = kind.__new__(kind, members["detail"])
    error.detail = members["detail"]
    error.faults = tuple(members.get("faults", ()))
    error.notes = {}
    return error


def _kinds(base: type[ServientError] = ServientError) -> Iterator[type[ServientError]]:
    yield base
    for kind in base.__subclasses__():
        yield from _kinds(kind)
