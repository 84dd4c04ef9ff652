"""The documents that programs hand in, and what WoTPy's classes can take of them."""

from typing import Any

from wotpy.wot.consumed.thing import ConsumedThing
from wotpy.wot.dictionaries.thing import ThingFragment

from servient.errors import InvalidInput, ServientError
from servient.wot.content import parse_json, to_json
from servient.wot.description import Document
from servient.wot.operations import AffordanceKind
from thing_descriptions.validator import validate_td

# WoTPy's class for properties insists on a type; any that takes all members will do.
_DEFAULTS: dict[AffordanceKind, Document] = {AffordanceKind.PROPERTY: {"type": "object"}}


def to_document(model: Any, *, is_checked: bool = False) -> Document:
    """A Thing Description from any model that WoTPy's `produce` takes, and from a plain dict.

    It is the program's no more: what becomes of the model afterwards does not change it.
    Raises InvalidInput, naming what is wrong with it.
    """
    document: Document = _without_empty_one_of(_read(model))
    if not is_checked:
        _require_td(document)
    return document


def _read(model: Any) -> Any:
    match model:
        case str() | bytes():
            return parse_json(model)
        case dict():
            return _copy(model)
        case ThingFragment():
            return _copy(_written(model))
        case ConsumedThing():
            return _copy(_written(model.td))
        case _:
            raise InvalidInput(f"a Thing Description is wanted, not {type(model).__name__}")


def to_definition(model: Any) -> Document:
    """An affordance's definition from any model that WoTPy's `add_property` and its like take."""
    document: Document = _copy(model if isinstance(model, dict) else _written(model))
    return document


def _require_td(document: Any) -> None:
    try:
        faults = validate_td(document, partial=True)
    except RecursionError as error:
        raise InvalidInput("the Thing Description is nested too deeply") from error
    if faults:
        raise InvalidInput(f"not a Thing Description: {faults[0]}")


def _copy(model: Any) -> Any:
    try:
        return parse_json(to_json(model))
    except ServientError as error:
        raise InvalidInput(f"not a Thing Description: {error.detail}") from error


def _written(model: Any) -> Any:
    """What WoTPy makes of a model of its own."""
    try:
        return _without_empties(model.to_dict())
    except (AttributeError, TypeError, ValueError) as error:
        raise InvalidInput(f"WoTPy cannot write this model: {error}") from error


def _without_empties(value: Any) -> Any:
    """WoTPy writes empty arrays and nulls for what a model does not say: drop them."""
    if isinstance(value, dict):
        return {n: _without_empties(v) for n, v in value.items() if v is not None and v != []}
    if isinstance(value, list):
        return [_without_empties(member) for member in value]
    return value


def _without_empty_one_of(value: Any) -> Any:
    """WoTPy's servients write `"oneOf": []` into every schema, which no value would satisfy."""
    if isinstance(value, dict):
        return {n: _without_empty_one_of(v) for n, v in value.items() if (n, v) != ("oneOf", [])}
    if isinstance(value, list):
        return [_without_empty_one_of(member) for member in value]
    return value


def to_fragment(document: Document) -> Document:
    """A copy for WoTPy's model, which keys handlers by its own objects; the original is served."""
    fragment = {name: member for name, member in document.items() if name != "forms"}
    for kind in AffordanceKind:
        if document.get(kind):
            fragment[kind.value] = {
                name: to_affordance_fragment(kind, definition)
                for name, definition in document[kind].items()
            }
    return fragment


def to_affordance_fragment(kind: AffordanceKind, definition: Document) -> Document:
    members = {name: member for name, member in definition.items() if name != "forms"}
    return {**_DEFAULTS.get(kind, {}), **members}
