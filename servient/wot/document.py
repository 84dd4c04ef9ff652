"""The documents that programs hand in, and what WoTPy's classes can take of them."""

import json
from typing import Any

from thing_descriptions.validator import validate_td
from wotpy.wot.consumed.thing import ConsumedThing
from wotpy.wot.dictionaries.thing import ThingFragment

from servient.errors import InvalidInput
from servient.wot.description import Document


def to_document(model: Any) -> Document:
    """A Thing Description from any model that WoTPy's `produce` takes, and from a plain dict.

    Raises InvalidInput, naming what is wrong with it.
    """
    match model:
        case str() | bytes():
            document = _parse(model)
        case dict():
            document = model
        case ThingFragment():
            document = without_empties(model.to_dict())
        case ConsumedThing():
            document = without_empties(model.td.to_dict())
        case _:
            raise InvalidInput(f"a Thing Description is wanted, not {type(model).__name__}")
    if faults := validate_td(document, partial=True):
        raise InvalidInput(f"not a Thing Description: {faults[0]}")
    return document


def _parse(text: str | bytes) -> Document:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"the Thing Description is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidInput("a Thing Description is a JSON object")
    return document


def without_empties(value: Any) -> Any:
    """WoTPy writes empty arrays and nulls (`"oneOf": []` makes a schema unsatisfiable): drop them."""
    if isinstance(value, dict):
        return {n: without_empties(v) for n, v in value.items() if v is not None and v != []}
    if isinstance(value, list):
        return [without_empties(member) for member in value]
    return value


def to_fragment(document: Document) -> Document:
    """A copy for WoTPy's model: no forms, and a type for every property, as its classes insist on one.

    WoTPy keys handlers by its own objects; what is served and validated is the original.
    """
    fragment = {name: member for name, member in document.items() if name != "forms"}
    for kind, defaults in (("properties", {"type": "object"}), ("actions", {}), ("events", {})):
        if document.get(kind):
            fragment[kind] = {
                name: {**defaults, **{n: m for n, m in definition.items() if n != "forms"}}
                for name, definition in document[kind].items()
            }
    return fragment
