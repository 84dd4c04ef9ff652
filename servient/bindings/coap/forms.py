"""The forms of an affordance over CoAP (WoT Binding Templates: CoAP)."""

from typing import Any

from servient.bindings.coap.content_formats import on_the_wire
from servient.wot.content import JSON_MEDIA_TYPE
from servient.wot.description import Affordance, Description, Form
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.schema import is_file, media_type_of

METHOD = "cov:method"
ACCEPT = "cov:accept"
JSON_CONTENT_FORMAT = 50
OBSERVE = "cov:observe"


def to_forms(url: str, affordance: Affordance) -> list[Form]:
    """The forms of an affordance that lives at `url`."""
    media_type = on_the_wire(affordance.media_type)
    forms = _forms(url, media_type, affordance)
    if media_type == JSON_MEDIA_TYPE:
        return forms
    # A consumer whose library knows no number for the file's type asks for base64 in JSON instead.
    return forms + [
        _as_json(form) for form in forms if form["op"] in _ANSWERED and _takes_json(form)
    ]


def to_thing_forms(url: str, thing: Description) -> list[Form]:
    """The forms of a Thing that lives at `url`."""
    offered = {operation for affordance in thing for operation in affordance.operations}
    ways = (
        (Operation.READ_PROPERTY, Operation.READ_ALL_PROPERTIES, "GET"),
        (Operation.WRITE_PROPERTY, Operation.WRITE_MULTIPLE_PROPERTIES, "PUT"),
    )
    return [
        _form(f"{url}/properties", JSON_MEDIA_TYPE, method, [operation.value])
        for needed, operation, method in ways
        if needed in offered
    ]


def _forms(url: str, media_type: str, affordance: Affordance) -> list[Form]:
    match affordance.kind:
        case AffordanceKind.PROPERTY:
            return _property_forms(url, media_type, affordance.operations)
        case AffordanceKind.ACTION:
            return [_action_form(url, t, media_type, affordance) for t in _inputs(affordance)]
        case AffordanceKind.EVENT:
            ends = (Operation.SUBSCRIBE_EVENT, Operation.UNSUBSCRIBE_EVENT)
            return [_observe_form(url, media_type, *ends)]


_ANSWERED = (
    Operation.READ_PROPERTY.value,
    Operation.INVOKE_ACTION.value,
    [Operation.OBSERVE_PROPERTY.value, Operation.UNOBSERVE_PROPERTY.value],
    [Operation.SUBSCRIBE_EVENT.value, Operation.UNSUBSCRIBE_EVENT.value],
)


def _takes_json(form: Form) -> bool:
    is_action = form["op"] == Operation.INVOKE_ACTION.value
    return not is_action or bool(form["contentType"] == JSON_MEDIA_TYPE)


def _as_json(form: Form) -> Form:
    rest = {name: member for name, member in form.items() if name != "response"}
    return {**rest, "contentType": JSON_MEDIA_TYPE, ACCEPT: JSON_CONTENT_FORMAT}


def _property_forms(url: str, media_type: str, offered: frozenset[Operation]) -> list[Form]:
    methods = {Operation.READ_PROPERTY: "GET", Operation.WRITE_PROPERTY: "PUT"}
    forms = [
        _form(url, media_type, method, operation.value)
        for operation, method in methods.items()
        if operation in offered
    ]
    ends = (Operation.OBSERVE_PROPERTY, Operation.UNOBSERVE_PROPERTY)
    if ends[0] in offered:
        forms.append(_observe_form(url, media_type, *ends))
    return forms


def _inputs(affordance: Affordance) -> list[str]:
    """JSON, and for a file its own bytes, when nothing else is required beside it."""
    schema = affordance.input.document if affordance.input else {}
    files = [s for s in schema.get("properties", {}).values() if is_file(s)]
    names = {n for n, s in schema.get("properties", {}).items() if is_file(s)}
    if is_file(schema):
        return [JSON_MEDIA_TYPE, on_the_wire(media_type_of(schema))]
    if len(files) == 1 and names.issuperset(schema.get("required", ())):
        return [JSON_MEDIA_TYPE, on_the_wire(media_type_of(files[0]))]
    return [JSON_MEDIA_TYPE]


def _action_form(url: str, taken: str, given: str, affordance: Affordance) -> Form:
    form = _form(url, taken, "POST", Operation.INVOKE_ACTION.value)
    if affordance.definition.get("output") and given != taken:
        form["response"] = {"contentType": given}
    return form


def _observe_form(url: str, media_type: str, *operations: Operation) -> Form:
    form = _form(url, media_type, "GET", [operation.value for operation in operations])
    return {**form, "subprotocol": OBSERVE}


def _form(url: str, media_type: str, method: str, operations: Any) -> Form:
    return {"href": url, "op": operations, "contentType": media_type, METHOD: method}
