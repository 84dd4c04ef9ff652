"""What a consumer asks for, as a binding has understood it."""

from collections.abc import Mapping
from typing import NamedTuple

from servient.wot.content import Value
from servient.wot.operations import Operation
from servient.wot.record import NOTHING


class Interaction(NamedTuple):
    """What a consumer wants: an operation on an affordance of a Thing, perhaps with an input.

    Operations on all of a Thing name no affordance: it is "". `input` is a `Content` as it came in,
    or a value that the binding has parsed already. `context` is what else the request said, for the
    record of an invocation.
    """

    operation: Operation
    thing: str
    affordance: str
    input: Value = None
    context: Mapping[str, str] = NOTHING
