"""Who asks over MQTT, as far as it can be known."""

from collections.abc import Sequence
from functools import lru_cache

from servient.bindings.mqtt.access import BrokerAccess
from servient.bindings.mqtt.topics import Request
from servient.errors import NotFound
from servient.wot.access import Principal, Scope, scope_of
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.servient import Servient

_KNOWN = 1024
_NAMES = 4


class Askers:
    """A broker passes on what was published, and not by whom: MQTT has no field for that.

    What is known is whom it lets publish on a topic: often that is one, and else one of a few.
    """

    def __init__(self, servient: Servient, access: BrokerAccess | None) -> None:
        self._servient = servient
        self._access = access
        self._known = lru_cache(_KNOWN)(self._find)

    def of(self, request: Request) -> Principal | None:
        """None where nobody has to show credentials."""
        return self._known(self._scope(request), request.thing) if self._access else None

    def _scope(self, request: Request) -> Scope:
        if request.operation is not Operation.INVOKE_ACTION:
            return scope_of(request.operation)
        try:
            description = self._servient.exposed(request.thing).description
            action = description.find(AffordanceKind.ACTION, request.affordance)
        except NotFound:
            return scope_of(request.operation)
        return scope_of(request.operation, action)

    def _find(self, scope: Scope, thing: str) -> Principal | None:
        if self._access is None:
            return None
        found = [each for each in self._access.members if each.may(scope, thing)]
        match found:
            case []:
                return self._access.principal
            case [principal]:
                return principal
        return Principal(_one_of(found), tuple(grant for each in found for grant in each.grants))


def _one_of(principals: Sequence[Principal]) -> str:
    names = [each.name for each in principals[:_NAMES]]
    more = len(principals) - len(names)
    return f"one of {', '.join(names)}" + (f" and {more} more" if more else "")
