"""What a handler makes of its input, and what is published of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from servient.wot.content import Content, Value

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Outcome(NamedTuple):
    """What a handler may return instead of a bare output: more that is to be published with it.

    `files` are all files that were made, by their names, and `notes` are texts, by theirs: both are
    for the invocation's record.
    """

    output: Value = None
    properties: Mapping[str, Value] = _NOTHING
    events: Mapping[str, Value] = _NOTHING
    files: Mapping[str, Content] = _NOTHING
    notes: Mapping[str, str] = _NOTHING


def to_completion(invocation_id: str, output: Value) -> dict[str, Value]:
    """The data of a completed event; a file is not repeated in it, the result property has it."""
    data: dict[str, Value] = {"invocation": invocation_id}
    if output is not None and not isinstance(output, Content):
        data["output"] = output
    return data
