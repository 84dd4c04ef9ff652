"""The forms of an affordance over HTTP (WoT Binding Templates: HTTP)."""

from collections.abc import Mapping
from typing import Any

from servient.bindings.http.form_data import FORM_MEDIA_TYPE
from servient.bindings.http.notifications import OBSERVE
from servient.wot.content import JSON_MEDIA_TYPE
from servient.wot.description import Affordance, Description, Form
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.schema import is_file, media_type_of

METHOD = "htv:methodName"
_ACCEPTS_JSON = {
    "htv:headers": [{"htv:fieldName": "Accept", "htv:fieldValue": JSON_MEDIA_TYPE}],
}


def to_forms(url: str, affordance: Affordance) -> list[Form]:
    """The forms of an affordance that lives at `url`."""
    match affordance.kind:
        case AffordanceKind.PROPERTY:
            return _property_forms(url, affordance)
        case AffordanceKind.ACTION:
            return _action_forms(url, affordance)
        case AffordanceKind.EVENT:
            operations = [Operation.SUBSCRIBE_EVENT, Operation.UNSUBSCRIBE_EVENT]
            return _notification_forms(url, affordance, operations)


def to_thing_forms(url: str, thing: Description) -> list[Form]:
    """The forms of a Thing that lives at `url` (TD 1.1 section 5.3.1.1)."""
    offered = {operation for affordance in thing for operation in affordance.operations}
    forms: list[Form] = []
    for needed, operations, path, method in _OF_ALL:
        if needed in offered:
            forms.append(_form(url + path, [o.value for o in operations], JSON_MEDIA_TYPE, method))
            if len(operations) > 1:  # to begin and to end
                forms[-1]["subprotocol"] = "sse"
    return forms


# What of its affordances lets a Thing offer operations on all of them, and where.
_OF_ALL: tuple[tuple[Operation, tuple[Operation, ...], str, str], ...] = (
    (Operation.READ_PROPERTY, (Operation.READ_ALL_PROPERTIES,), "/properties", "GET"),
    (Operation.WRITE_PROPERTY, (Operation.WRITE_MULTIPLE_PROPERTIES,), "/properties", "PUT"),
    (
        Operation.OBSERVE_PROPERTY,
        (Operation.OBSERVE_ALL_PROPERTIES, Operation.UNOBSERVE_ALL_PROPERTIES),
        "/properties",
        "GET",
    ),
    (
        Operation.SUBSCRIBE_EVENT,
        (Operation.SUBSCRIBE_ALL_EVENTS, Operation.UNSUBSCRIBE_ALL_EVENTS),
        "/events",
        "GET",
    ),
    (Operation.INVOKE_ACTION, (Operation.QUERY_ALL_ACTIONS,), "/actions", "GET"),
)


def _property_forms(url: str, affordance: Affordance) -> list[Form]:
    """The value as it is; of a file, base64 in JSON too, as the W3C profile of HTTP wants."""
    methods = {Operation.READ_PROPERTY: "GET", Operation.WRITE_PROPERTY: "PUT"}
    offered = {o: method for o, method in methods.items() if o in affordance.operations}
    forms = [_form(url, o.value, affordance.media_type, method) for o, method in offered.items()]
    if Operation.OBSERVE_PROPERTY in affordance.operations:
        operations = [Operation.OBSERVE_PROPERTY, Operation.UNOBSERVE_PROPERTY]
        forms += _notification_forms(f"{url}/{OBSERVE}", affordance, operations)
    if affordance.media_type != JSON_MEDIA_TYPE:
        as_json = [_form(url, o.value, JSON_MEDIA_TYPE, method) for o, method in offered.items()]
        forms += [{**f, **_ACCEPTS_JSON} if f[METHOD] == "GET" else f for f in as_json]
    return forms


def _notification_forms(
    url: str, affordance: Affordance, operations: list[Operation]
) -> list[Form]:
    """Long poll first: node-wot takes the first form, and hears unnamed events only from a stream."""
    names = [operation.value for operation in operations]
    # No method here: node-wot would use it for the HEAD that it sends first, too, and wait in vain.
    poll = {
        "href": url,
        "op": names,
        "contentType": affordance.media_type,
        "subprotocol": "longpoll",
    }
    # In a stream a file is a JSON string.
    stream = {**_form(url, names, JSON_MEDIA_TYPE, "GET"), "subprotocol": "sse"}
    return [poll, stream]


def _action_forms(url: str, affordance: Affordance) -> list[Form]:
    """JSON, and for files their own bytes: alone when nothing else is required, or in a form.

    An output that is a file is also to be had as base64 in JSON.
    """
    schema = affordance.input.document if affordance.input else {}
    media_types = [JSON_MEDIA_TYPE]
    if is_file(schema):
        media_types.append(media_type_of(schema))
    files = {n: s for n, s in schema.get("properties", {}).items() if is_file(s)}
    if len(files) == 1 and set(schema.get("required", ())) <= set(files):
        media_types += map(media_type_of, files.values())
    if files:
        media_types.append(FORM_MEDIA_TYPE)
    forms = [_action_form(url, media_type, affordance) for media_type in media_types]
    if affordance.media_type != JSON_MEDIA_TYPE:
        form = _form(url, Operation.INVOKE_ACTION.value, JSON_MEDIA_TYPE, "POST")
        forms.append({**form, **_ACCEPTS_JSON})
    return forms


def _action_form(url: str, media_type: str, affordance: Affordance) -> Form:
    form = _form(url, Operation.INVOKE_ACTION.value, media_type, "POST")
    output: Mapping[str, Any] | None = affordance.definition.get("output")
    if output and affordance.media_type != media_type:
        form["response"] = {"contentType": affordance.media_type}
    return form


def _form(url: str, operation: str | list[str], media_type: str, method: str) -> Form:
    return {"href": url, "op": operation, "contentType": media_type, METHOD: method}
