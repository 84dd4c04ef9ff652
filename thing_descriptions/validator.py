"""Finds what is wrong with a Thing Description, against W3C's schema and the rules beyond it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeAlias

from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from wotpy.wot.validation import SCHEMA_THING

from thing_descriptions.builder import AffordanceNames, affordance_name
from thing_descriptions.vocabulary import CONTEXT_PREFIXES

FAULTS_LIMIT = 32

Faults: TypeAlias = Iterator[str]

AFFORDANCE_KINDS = ("properties", "actions", "events")

# Members whose own members are names that the author chose, not terms of a vocabulary.
_MAPS = frozenset({*AFFORDANCE_KINDS, "uriVariables", "schemaDefinitions", "securityDefinitions"})
# Members that hold somebody's values or words.
_OPAQUE = frozenset({"@context", "const", "default", "enum", "titles", "descriptions"})


def validate_td(document: object, *, partial: bool = False) -> list[str]:
    """The faults of a Thing Description 1.1, each as "<JSON pointer>: <what is wrong>"; [] if none.

    A `partial` one may lack forms, which bindings add. Checked are the schema of the Recommendation,
    that each data schema is one, that named security schemes are defined and prefixes declared.
    """
    return _faults(document, [*_RULES, *([] if partial else [_missing_forms])])


def lint_td(document: object) -> list[str]:
    """Where a Thing Description of ours breaks the rules that we set ourselves beyond W3C's.

    Consumers in the field stumble over empty arrays, nulls, values without a type, affordances of
    equal names and actions that do not say whether they are synchronous.
    """
    return _faults(document, _HOUSE_RULES)


def _faults(document: object, rules: Sequence[Callable[[dict[str, Any]], Faults]]) -> list[str]:
    if not isinstance(document, dict):
        return [": a Thing Description is a JSON object"]
    faults = list(islice(_schema_faults(document), FAULTS_LIMIT))
    if faults:
        # The rules beyond the schema may rely on what it says about types.
        return faults
    return list(islice((fault for rule in rules for fault in rule(document)), FAULTS_LIMIT))


@cache
def _schema_validator() -> Draft7Validator:
    # An own, empty registry: nothing that a schema refers to is ever fetched.
    return Draft7Validator(SCHEMA_THING, registry=Registry())


def _schema_faults(document: dict[str, Any]) -> Faults:
    for error in _schema_validator().iter_errors(document):
        yield f"{_pointer(*error.absolute_path)}: {error.message[:200]}"


def _affordances(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for kind in AFFORDANCE_KINDS:
        for name, affordance in document.get(kind, {}).items():
            yield kind, name, affordance


def _data_schemas(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for kind, name, affordance in _affordances(document):
        if kind == "properties":
            yield _pointer(kind, name), affordance
        for member in ("input", "output", "subscription", "data", "dataResponse", "cancellation"):
            if member in affordance:
                yield _pointer(kind, name, member), affordance[member]
        for variable, schema in affordance.get("uriVariables", {}).items():
            yield _pointer(kind, name, "uriVariables", variable), schema


def _broken_data_schemas(document: dict[str, Any]) -> Faults:
    for pointer, schema in _data_schemas(document):
        try:
            Draft7Validator.check_schema(schema)
        except SchemaError as error:
            yield f"{pointer}{_pointer(*error.absolute_path)}: {error.message[:200]}"


def _undefined_security(document: dict[str, Any]) -> Faults:
    defined = document["securityDefinitions"].keys()
    users = [("", document)]
    for kind, name, affordance in _affordances(document):
        for index, form in enumerate(affordance.get("forms", ())):
            users.append((_pointer(kind, name, "forms", index), form))
    for index, form in enumerate(document.get("forms", ())):
        users.append((_pointer("forms", index), form))
    for pointer, user in users:
        names = user.get("security", ())
        for name in [names] if isinstance(names, str) else names:
            if name not in defined:
                yield f"{pointer}/security: {name!r} is not in securityDefinitions"


def _missing_forms(document: dict[str, Any]) -> Faults:
    for kind, name, affordance in _affordances(document):
        if not affordance.get("forms"):
            yield f"{_pointer(kind, name)}: has no forms"
        for index, form in enumerate(affordance.get("forms", ())):
            if not form.get("href"):
                yield f"{_pointer(kind, name, 'forms', index)}: has no href"


def _undeclared_prefixes(document: dict[str, Any]) -> Faults:
    contexts = document["@context"]
    declared = set(CONTEXT_PREFIXES)
    for context in contexts if isinstance(contexts, list) else [contexts]:
        declared |= context.keys() if isinstance(context, dict) else set()
    for pointer, term in _terms(document, "", is_map=False):
        prefix, colon, _ = term.partition(":")
        if colon and prefix not in declared and "//" not in term:
            yield f"{pointer}: the prefix of {term!r} is not declared in @context"


def _terms(value: Any, pointer: str, *, is_map: bool) -> Iterator[tuple[str, str]]:
    """Every member name and @type that stands where a vocabulary's term is expected."""
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from _terms(element, f"{pointer}/{index}", is_map=False)
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        here = f"{pointer}{_pointer(name)}"
        if not is_map:
            yield here, name
            if name == "@type":
                types = member if isinstance(member, list) else [member]
                yield from ((here, term) for term in types if isinstance(term, str))
        if is_map or name not in _OPAQUE:
            yield from _terms(member, here, is_map=name in _MAPS and not is_map)


def _empty_members(document: dict[str, Any]) -> Faults:
    stack: list[tuple[str, Any]] = [("", document)]
    while stack:
        pointer, value = stack.pop()
        if value is None or value == []:
            yield f"{pointer}: is {'null' if value is None else 'an empty array'}"
        if isinstance(value, dict):
            stack.extend((f"{pointer}{_pointer(n)}", m) for n, m in value.items() if n != "enum")
        if isinstance(value, list):
            stack.extend((f"{pointer}/{i}", e) for i, e in enumerate(value))


def _untyped_values(document: dict[str, Any]) -> Faults:
    for pointer, schema in _data_schemas(document):
        if not schema.keys() & {"type", "enum", "const", "oneOf"}:
            yield f"{pointer}: has no type"


def _poor_names(document: dict[str, Any]) -> Faults:
    names = AffordanceNames()
    for kind, name, _ in _affordances(document):
        if affordance_name(name) != name:
            yield f"{_pointer(kind, name)}: the name is not of letters, digits, '_' and '-'"
        elif names.take(name) != name:
            yield f"{_pointer(kind, name)}: another affordance has this name"


def _silent_actions(document: dict[str, Any]) -> Faults:
    for name, action in document.get("actions", {}).items():
        if "synchronous" not in action:
            yield f"{_pointer('actions', name)}: does not say whether it is synchronous"


def _pointer(*tokens: object) -> str:
    return "".join("/" + str(t).replace("~", "~0").replace("/", "~1") for t in tokens)


_RULES = [_broken_data_schemas, _undefined_security, _undeclared_prefixes]
_HOUSE_RULES = [_empty_members, _untyped_values, _poor_names, _silent_actions]
