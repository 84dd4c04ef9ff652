"""Which form of an affordance an MQTT client uses, and how."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from servient.mqtt import terms
from servient.wot.content import JSON_MEDIA_TYPE, essence, is_json
from servient.wot.operations import AffordanceKind, Operation

DEFAULT_PORT = 1883
SCHEME = "mqtt"

# What a form is for that does not say so (TD 1.1 section 5.4, default values).
_DEFAULT_OPERATIONS = {
    AffordanceKind.PROPERTY: (Operation.READ_PROPERTY, Operation.WRITE_PROPERTY),
    AffordanceKind.ACTION: (Operation.INVOKE_ACTION,),
    AffordanceKind.EVENT: (Operation.SUBSCRIBE_EVENT, Operation.UNSUBSCRIBE_EVENT),
}
_HEARD = {Operation.READ_PROPERTY, Operation.OBSERVE_PROPERTY, Operation.SUBSCRIBE_EVENT}


@dataclass(frozen=True, slots=True)
class MqttForm:
    """A form made ready for use.

    `is_heard` ones are subscribed to, others published to. `request_topic` is there when a request
    is answered, `status_topic` when the end of a Thing is told.
    """

    host: str
    port: int
    topic: str
    is_heard: bool
    media_type: str
    answer_media_type: str
    request_topic: str | None
    status_topic: str | None


def find_forms(
    document: Mapping[str, Any], kind: AffordanceKind, name: str, operation: Operation
) -> list[MqttForm]:
    """The forms for an operation, in the order of the TD."""
    forms = document.get(kind, {}).get(name, {}).get("forms", ())
    return list(_usable(forms, document.get("base", ""), kind, operation))


def for_value(forms: Sequence[MqttForm], media_type: str | None) -> MqttForm:
    """The form that takes a file of that type as it is, else the one that takes JSON."""
    if media_type is not None:
        wanted = essence(media_type)
        for form in forms:
            if essence(form.media_type) == wanted:
                return form
    return next((form for form in forms if is_json(form.media_type)), forms[0])


def _usable(
    forms: Sequence[Mapping[str, Any]], base: str, kind: AffordanceKind, operation: Operation
) -> Iterator[MqttForm]:
    for form in forms:
        url = urlsplit(urljoin(base, form["href"]))
        operations = form.get("op", _DEFAULT_OPERATIONS[kind])
        if isinstance(operations, str):
            operations = (operations,)
        if operation not in operations or url.scheme != SCHEME or not url.hostname:
            continue
        packet = form.get(terms.CONTROL_PACKET)
        is_heard = packet == "subscribe" if packet else operation in _HEARD
        topic = form.get(terms.FILTER if is_heard else terms.TOPIC) or url.path.removeprefix("/")
        media_type = form.get("contentType", JSON_MEDIA_TYPE)
        yield MqttForm(
            url.hostname,
            url.port or DEFAULT_PORT,
            topic,
            is_heard,
            media_type,
            form.get("response", {}).get("contentType", media_type),
            form.get(terms.REQUEST_TOPIC),
            form.get(terms.STATUS_TOPIC),
        )
