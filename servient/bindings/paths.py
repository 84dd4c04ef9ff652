"""Where Things and affordances live: one scheme of paths for HTTP, CoAP and topics."""

import re
from urllib.parse import quote

from servient.wot.description import Affordance
from servient.wot.invocation import Invocation
from servient.wot.operations import AffordanceKind

THINGS = "things"
_PLAIN = re.compile(r"[A-Za-z0-9_.~:-]*")


def to_path(*segments: str) -> str:
    """An absolute path of percent-encoded segments; a colon stays readable (RFC 3986 section 3.3)."""
    return "".join(["/" + _quoted(segment) for segment in segments])


def _quoted(segment: str) -> str:
    """Most need no quoting, and need not wait for it."""
    return segment if _PLAIN.fullmatch(segment) else quote(segment, safe=":")


def thing_path(thing: str) -> str:
    return to_path(THINGS, thing)


def affordance_path(thing: str, affordance: Affordance) -> str:
    return to_path(THINGS, thing, affordance.kind, affordance.name)


def invocation_path(invocation: Invocation) -> str:
    """Where the status of an invocation is."""
    return to_path(*invocation_segments(invocation))


def invocation_segments(invocation: Invocation) -> tuple[str, ...]:
    action = AffordanceKind.ACTION.value
    return (THINGS, invocation.thing, action, invocation.action, invocation.number)
