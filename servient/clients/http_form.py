"""Which form of an affordance an HTTP client uses, and how."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from servient.wot.content import JSON_MEDIA_TYPE, essence, is_json
from servient.wot.operations import AffordanceKind, Operation

SSE = "sse"
LONG_POLL = "longpoll"

_METHODS = {Operation.WRITE_PROPERTY: "PUT", Operation.INVOKE_ACTION: "POST"}

# What a form is for that does not say so (TD 1.1 section 5.4, default values).
_DEFAULT_OPERATIONS = {
    AffordanceKind.PROPERTY: (Operation.READ_PROPERTY, Operation.WRITE_PROPERTY),
    AffordanceKind.ACTION: (Operation.INVOKE_ACTION,),
    AffordanceKind.EVENT: (Operation.SUBSCRIBE_EVENT, Operation.UNSUBSCRIBE_EVENT),
}


@dataclass(frozen=True, slots=True)
class HttpForm:
    """A form made ready for use: an absolute URL, a method, a media type."""

    url: str
    method: str
    media_type: str
    subprotocol: str | None

    @property
    def is_secure(self) -> bool:
        return urlsplit(self.url).scheme == "https"


def find_forms(
    document: Mapping[str, Any], kind: AffordanceKind, name: str, operation: Operation
) -> list[HttpForm]:
    """The forms for an operation in the order of the TD, those over TLS first."""
    forms = document.get(kind, {}).get(name, {}).get("forms", ())
    found = list(_usable(forms, document.get("base", ""), kind, operation))
    return sorted(found, key=lambda form: not form.is_secure)


def _usable(
    forms: Sequence[Mapping[str, Any]], base: str, kind: AffordanceKind, operation: Operation
) -> Iterator[HttpForm]:
    for form in forms:
        url = urljoin(base, form["href"])
        operations = form.get("op", _DEFAULT_OPERATIONS[kind])
        if isinstance(operations, str):
            operations = (operations,)
        if operation in operations and urlsplit(url).scheme in ("http", "https"):
            yield HttpForm(
                url,
                form.get("htv:methodName") or _METHODS.get(operation, "GET"),
                form.get("contentType", JSON_MEDIA_TYPE),
                form.get("subprotocol"),
            )


def for_media_type(forms: Sequence[HttpForm], media_type: str) -> HttpForm | None:
    """The form that takes this media type."""
    wanted = essence(media_type)
    return next((form for form in forms if essence(form.media_type) == wanted), None)


def for_json(forms: Sequence[HttpForm]) -> HttpForm | None:
    return next((form for form in forms if is_json(form.media_type)), None)


def for_subscription(forms: Sequence[HttpForm]) -> HttpForm | None:
    """A stream, if there is one; else a poll, which is what a form without subprotocol means."""
    streams = [form for form in forms if form.subprotocol == SSE]
    polls = [form for form in forms if form.subprotocol in (LONG_POLL, None)]
    return next(iter(streams + polls), None)
