"""What a broker has checked of those who publish and subscribe there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from servient.wot.access import Principal
from servient.wot.description import Description, Security

# Of our own broker: a name and a password in CONNECT, which is neither a header nor in a URL.
PASSWORD = Security("mqtt_basic_sc", {"mqtt_basic_sc": {"scheme": "basic", "in": "auto"}})
# Of others: whatever they ask for, which a client learns from its operator.
NEGOTIATED = Security("mqtt_auto_sc", {"mqtt_auto_sc": {"scheme": "auto"}})

# Returns a topic that the servient may use as soon as the broker has taken note.
Admit = Callable[[Iterable[Description]], str]


@dataclass(frozen=True, slots=True)
class BrokerAccess:
    """Requests are carried out as by `principal` at most: what anybody on the broker may do.

    A broker of our own is told by `admit` which Things there are, and keeps apart which of the
    `members` may do what.
    """

    principal: Principal
    security: Security = NEGOTIATED
    admit: Admit | None = None
    members: tuple[Principal, ...] = ()
