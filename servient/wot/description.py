"""A Thing's own document, and what is looked up in it, each worked out once."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from servient.errors import NotFound, OperationNotAllowed
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.schema import DataSchema, media_type_of
from thing_descriptions import vocabulary
from thing_descriptions.vocabulary import with_prefixes

Form: TypeAlias = dict[str, Any]
Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Security:
    """What a form is used with: the name of one of these definitions, the others being its parts."""

    name: str
    definitions: Mapping[str, Any]


@dataclass(frozen=True)
class Affordance:
    """One property, action or event: its definition in the TD, read once."""

    kind: AffordanceKind
    name: str
    definition: Mapping[str, Any]

    @cached_property
    def operations(self) -> frozenset[Operation]:
        """What may be done with it (TD 1.1 sections 5.3.1.3 to 5.3.1.5)."""
        match self.kind:
            case AffordanceKind.ACTION:
                return frozenset({Operation.INVOKE_ACTION})
            case AffordanceKind.EVENT:
                return frozenset({Operation.SUBSCRIBE_EVENT, Operation.UNSUBSCRIBE_EVENT})
        operations = set()
        if not self.definition.get("writeOnly"):
            operations.add(Operation.READ_PROPERTY)
        if not self.definition.get("readOnly"):
            operations.add(Operation.WRITE_PROPERTY)
        if self.definition.get("observable"):
            operations |= {Operation.OBSERVE_PROPERTY, Operation.UNOBSERVE_PROPERTY}
        return frozenset(operations)

    @cached_property
    def input(self) -> DataSchema | None:
        """The schema of what a consumer sends: an action's input, or the property's value."""
        if self.kind is AffordanceKind.PROPERTY:
            return DataSchema(self.definition)
        document = self.definition.get("input")
        return DataSchema(document) if document else None

    @cached_property
    def media_type(self) -> str:
        """What values of it are on a wire that carries bytes: JSON, or the file's own type."""
        match self.kind:
            case AffordanceKind.PROPERTY:
                schema: Any = self.definition
            case AffordanceKind.ACTION:
                schema = self.definition.get("output") or {}
            case AffordanceKind.EVENT:
                schema = self.definition.get("data") or {}
        return media_type_of(schema)

    @property
    def is_synchronous(self) -> bool:
        """Whether who invokes an action waits for its output, unless it would rather not."""
        return self.definition.get("synchronous") is not False

    @property
    def function(self) -> str | None:
        """The function of a module that an action calls."""
        return self.definition.get(vocabulary.FUNCTION)

    @property
    def file_properties(self) -> tuple[str, ...]:
        """The properties that hold the last files which an action made besides its output."""
        return tuple(self.definition.get(vocabulary.FILE_PROPERTIES, ()))

    @property
    def result_property(self) -> str | None:
        """The property that holds an action's last output."""
        return self.definition.get(vocabulary.RESULT_PROPERTY)

    @property
    def file(self) -> str | None:
        """What a property's value is called where it is a file."""
        return self.definition.get(vocabulary.FILE)

    @property
    def scope(self) -> str | None:
        """The scope that invoking an action takes, where it is not the usual one."""
        return self.definition.get(vocabulary.SCOPE)

    @property
    def completed_event(self) -> str | None:
        return self.definition.get(vocabulary.COMPLETED_EVENT)

    @property
    def failed_event(self) -> str | None:
        return self.definition.get(vocabulary.FAILED_EVENT)


class Description:
    """A Thing Description without the forms of our bindings: the source of truth, never rewritten.

    `name` is the Thing's name in paths and topics; it is unique in a servient.
    """

    def __init__(self, document: Document, name: str) -> None:
        self.document = document
        self.name = name
        self.title: str = document["title"]
        self.id: str | None = document.get("id")
        self._affordances = {
            (kind, affordance): Affordance(kind, affordance, definition)
            for kind in AffordanceKind
            for affordance, definition in (document.get(kind) or {}).items()
        }

    @property
    def is_of_td_1_1(self) -> bool:
        """Whether it says that it is written in the terms of TD 1.1."""
        contexts = self.document["@context"]
        return vocabulary.TD_CONTEXT in (contexts if isinstance(contexts, list) else [contexts])

    @property
    def deployment(self) -> str | None:
        """The deployment that a module's Thing belongs to."""
        return self.document.get(vocabulary.DEPLOYMENT)

    @property
    def module(self) -> str | None:
        """The name of the module whose Thing this is."""
        return self.document.get(vocabulary.MODULE)

    @property
    def module_id(self) -> str | None:
        """What an orchestrator calls that module."""
        return self.document.get(vocabulary.MODULE_ID)

    def __iter__(self) -> Iterator[Affordance]:
        return iter(self._affordances.values())

    def has(self, kind: AffordanceKind, name: str) -> bool:
        return (kind, name) in self._affordances

    def find(self, kind: AffordanceKind, name: str) -> Affordance:
        """Raises NotFound."""
        affordance = self._affordances.get((kind, name))
        if affordance is None:
            raise NotFound(f"Thing {self.name!r} has no {kind.noun} {name[:100]!r}")
        return affordance

    def require(self, kind: AffordanceKind, name: str, operation: Operation) -> Affordance:
        """The affordance, when it offers the operation. Raises NotFound or OperationNotAllowed."""
        affordance = self.find(kind, name)
        if operation not in affordance.operations:
            raise OperationNotAllowed(f"{kind.noun} {name!r} does not offer {operation}")
        return affordance

    def with_forms(
        self,
        forms: Mapping[tuple[AffordanceKind, str], Sequence[Form]],
        own: Sequence[Form],
        profiles: Iterable[str] = (),
        securities: Sequence[Security] = (),
    ) -> Document:
        """The complete TD: this document with forms added to it. `own` are those of the Thing itself.

        `profiles` join those that the document claims already, and @context gets what the forms'
        own terms need. `securities`, if any, take the place of what the document says of it: the
        first is that of the Thing, and forms say which is theirs.
        """
        document = dict(self.document)
        for kind in AffordanceKind:
            if document.get(kind):
                document[kind] = {
                    name: {
                        **definition,
                        "forms": [*definition.get("forms", ()), *forms[kind, name]],
                    }
                    for name, definition in document[kind].items()
                }
        if thing_forms := [*document.get("forms", ()), *own]:
            document["forms"] = thing_forms
        added = itertools.chain(own, *forms.values())
        document["@context"] = with_prefixes(document["@context"], added)
        if claimed := _joined(document.get("profile", ()), profiles):
            document["profile"] = claimed
        if securities:
            definitions = {name: each for of in securities for name, each in of.definitions.items()}
            document |= {"securityDefinitions": definitions, "security": [securities[0].name]}
        return document


def secured(forms: Iterable[Form], security: Security | None) -> list[Form]:
    """Forms that say what they are used with."""
    if security is None:
        return list(forms)
    return [{**form, "security": [security.name]} for form in forms]


def _joined(claimed: str | Iterable[str], further: Iterable[str]) -> list[str]:
    first = [claimed] if isinstance(claimed, str) else claimed
    return list(dict.fromkeys([*first, *further]))
