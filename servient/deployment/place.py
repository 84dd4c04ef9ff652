"""Where an invocation stands in its chain, and what it passes on to the next step besides its result."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from converters.deployment import Endpoint, Function
from servient.errors import NextStepFailed

CHAIN_STEP = "x-chain-step"
# What a request says about the whole that it is part of, and every step passes on as it came: Trace
# Context and Baggage (both W3C), and the ids that proxies give to requests.
PASSED_ON = ("traceparent", "tracestate", "baggage", "x-request-id", "x-correlation-id")
HEADER_LIMIT_CHARS = 8192

_NUMBER = re.compile(r"[0-9]{1,6}")
_HEADER = re.compile(rf"[\x20-\x7e]{{1,{HEADER_LIMIT_CHARS}}}")


@dataclass(frozen=True, slots=True)
class Place:
    """The number of a step, from 0, and the endpoint that follows it."""

    number: int
    next: Endpoint | None


def find_place(function: Function, context: Mapping[str, str]) -> Place:
    """Where an invocation stands in its chain, as its request or else the manifest says.

    Raises NextStepFailed when a function that stands in its chain more than once is called as another
    step than those.
    """
    said = context.get(CHAIN_STEP, "").strip()
    number = int(said) if _NUMBER.fullmatch(said) else None
    if not function.steps:
        return Place(number or 0, function.next)
    if number is None:
        return Place(min(function.steps), function.next)
    if number in function.steps:
        return Place(number, function.steps[number])
    if len(function.steps) == 1:
        return Place(number, function.next)
    places = " and ".join(map(str, sorted(function.steps)))
    raise NextStepFailed(
        f"{function.name!r} was called as step {number} of its chain, in which it is step {places}"
    )


def passed_on(context: Mapping[str, str], place: Place) -> dict[str, str]:
    """The headers of the request for the step after `place`, by names in lower case."""
    kept = {name: context[name] for name in PASSED_ON if _HEADER.fullmatch(context.get(name, ""))}
    return {**kept, CHAIN_STEP: str(place.number + 1)}
