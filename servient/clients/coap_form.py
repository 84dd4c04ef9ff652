"""Which form of an affordance a CoAP client uses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from wotpy.protocols.exceptions import FormNotFoundException

from servient.wot.content import JSON_MEDIA_TYPE, essence
from servient.wot.operations import AffordanceKind, Operation

# What a form is for that does not say so (TD 1.1 section 5.4, default values).
_DEFAULT_OPERATIONS = {
    AffordanceKind.PROPERTY: (Operation.READ_PROPERTY, Operation.WRITE_PROPERTY),
    AffordanceKind.ACTION: (Operation.INVOKE_ACTION,),
    AffordanceKind.EVENT: (Operation.SUBSCRIBE_EVENT, Operation.UNSUBSCRIBE_EVENT),
}


@dataclass(frozen=True, slots=True)
class CoapForm:
    """An absolute URL and a media type."""

    url: str
    media_type: str

    def takes(self, media_type: str) -> bool:
        return essence(self.media_type) == essence(media_type)


def find_forms(
    document: Mapping[str, Any], kind: AffordanceKind, name: str, operation: Operation
) -> list[CoapForm]:
    """The forms for an operation in the order of the TD. Raises FormNotFoundException.

    `document` is the TD as it came: WoTPy's classes drop members that they do not know.
    """
    found = []
    for form in document.get(kind, {}).get(name, {}).get("forms", ()):
        url = urljoin(document.get("base", ""), form["href"])
        operations = form.get("op", _DEFAULT_OPERATIONS[kind])
        if isinstance(operations, str):
            operations = (operations,)
        if operation in operations and urlsplit(url).scheme == "coap":
            found.append(CoapForm(url, form.get("contentType", JSON_MEDIA_TYPE)))
    if not found:
        raise FormNotFoundException(f"no CoAP form to {operation} {name!r}")
    return found
