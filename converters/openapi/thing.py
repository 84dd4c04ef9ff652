"""Makes a Thing Description 1.1 of an OpenAPI document, and a report of what is lost on the way."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from converters.losses import Loss, Losses
from converters.openapi.affordances import Affordances
from converters.openapi.answers import Answers, SchemaNames
from converters.openapi.bodies import Bodies
from converters.openapi.documents import Documents, Load
from converters.openapi.forms import Forms
from converters.openapi.info import describe_api
from converters.openapi.model import Api, Operation
from converters.openapi.reader import METHODS, Reader
from converters.openapi.security import Security
from converters.openapi.swagger import SwaggerReader
from converters.reading import Node, show
from converters.schema_builder import Dialect, SchemaBuilder
from thing_descriptions.vocabulary import TD_CONTEXT, VOCABULARY

AFFORDANCES_LIMIT = 1024

# How large the schemas of a Thing may become; shared by all of its values.
_NODES_LIMIT = 150_000
_NODES_OF_A_VALUE = (60, 2000)
_TOO_MANY = f"a Thing has at most {AFFORDANCES_LIMIT} affordances"


@dataclass(frozen=True, slots=True)
class Conversion:
    """A complete Thing Description, and what of its source it does not say."""

    td: dict[str, Any]
    losses: tuple[Loss, ...]


def to_thing_description(
    document: object, *, load: Load | None = None, source_url: str = ""
) -> Conversion:
    """The Thing that an API is, whose document is OpenAPI 3.1, 3.0 or 2.0 ("Swagger").

    `load` gives the other documents that it refers to (see Documents); where its servers are relative,
    they are as seen from `source_url`. Raises ConversionError for what is no OpenAPI document; what is
    faulty or has no place in a Thing Description is left out and reported.
    """
    losses = Losses()
    documents = Documents(document, load)
    reader, is_31 = _reader(documents, source_url, losses)
    api = reader.api()
    paths = list(reader.paths())
    count = sum(1 for _, item in paths for _ in _methods(item))
    smallest, largest = _NODES_OF_A_VALUE
    dialect = Dialect(
        are_siblings_read=is_31,
        nodes_limit=max(smallest, min(largest, _NODES_LIMIT // (2 * count + 1))),
    )
    schemas = SchemaBuilder(documents, losses, dialect)
    bodies = Bodies(schemas, losses)
    names = SchemaNames()
    security = Security(api.schemes, losses)
    forms = Forms(api, security, losses)
    affordances = Affordances(schemas, bodies, Answers(bodies, names, losses), forms, losses)
    _collect(affordances, paths, reader, losses)
    return Conversion(
        _assemble(api, affordances, names, security, forms, losses), tuple(sorted(losses))
    )


def _reader(documents: Documents, source_url: str, losses: Losses) -> tuple[Reader, bool]:
    root = documents.root
    if not root.is_object:
        raise root.fail(f"expected an OpenAPI document, found {show(root.value)}")
    version = root.value.get("openapi", root.value.get("swagger"))
    match str(version).split(".")[:2]:
        case ["3", "0"]:
            return Reader(documents, source_url, losses), False
        case ["3", _]:
            return Reader(documents, source_url, losses), True
        case ["2", "0"] if "swagger" in root.value:
            return SwaggerReader(documents, source_url, losses), False
    if version is None:
        raise root.fail("is no OpenAPI document: it has neither `openapi` nor `swagger`")
    place = Node(version, "/openapi" if "openapi" in root.value else "/swagger")
    raise place.fail(f"only OpenAPI 3 and 2.0 are read, not {show(version)}")


def _methods(item: Node) -> Iterator[str]:
    return (method for method in METHODS if item.is_object and item.value.get(method) is not None)


def _collect(
    affordances: Affordances, paths: Iterable[tuple[str, Node]], reader: Reader, losses: Losses
) -> None:
    for path, item in paths:
        methods = list(_methods(item))
        if len(affordances) + len(methods) > AFFORDANCES_LIMIT:
            for method in methods:
                losses.drop(item.member(method), method, _TOO_MANY)
            continue
        operations = list(reader.of_path(path, item))
        affordances.add_path(operations)
        for operation in operations:
            for name, expression, called in reader.callbacks(operation):
                _add_event(affordances, name, called, expression, operation, losses)
    for name, called in reader.webhooks():
        _add_event(affordances, name, called, "", None, losses)


def _add_event(
    affordances: Affordances,
    name: str,
    called: Operation,
    expression: str,
    subscriber: Operation | None,
    losses: Losses,
) -> None:
    if len(affordances) < AFFORDANCES_LIMIT:
        affordances.add_event(name, called, expression, subscriber)
    else:
        losses.drop(called.node, called.method, _TOO_MANY)


def _assemble(
    api: Api,
    affordances: Affordances,
    names: SchemaNames,
    security: Security,
    forms: Forms,
    losses: Losses,
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "@context": [TD_CONTEXT, {"wasm": VOCABULARY}],
        **describe_api(api.root, losses),
        "base": forms.base,
        "securityDefinitions": dict(security.definitions),
        "security": list(forms.security),
        "schemaDefinitions": names.definitions,
        "properties": affordances.properties,
        "actions": affordances.actions,
        "events": affordances.events,
    }
    if not forms.base:
        losses.drop(api.root.member("servers"), "servers", "where the API is, is not said")
    return {name: value for name, value in document.items() if value}
