"""Who acts, and what they may do: principals with scopes, asked for at the one door."""

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from servient.errors import Forbidden, Unauthorized
from servient.wot.description import Affordance
from servient.wot.operations import Operation


class Scope(StrEnum):
    """What a principal may be allowed. Who may administer may do everything."""

    READ = "read"
    INVOKE = "invoke"
    DEPLOY = "deploy"
    ADMIN = "admin"


SCOPES = {
    Operation.WRITE_PROPERTY: Scope.INVOKE,
    Operation.WRITE_MULTIPLE_PROPERTIES: Scope.INVOKE,
    Operation.INVOKE_ACTION: Scope.INVOKE,
    Operation.CANCEL_ACTION: Scope.INVOKE,
}


def scope_of(operation: Operation, affordance: Affordance | None = None) -> Scope:
    """The scope that an operation takes; an affordance may ask for one of its own."""
    needed = SCOPES.get(operation, Scope.READ)
    if needed is Scope.INVOKE and affordance is not None and affordance.scope is not None:
        return Scope(affordance.scope)
    return needed


@dataclass(frozen=True, slots=True)
class Grant:
    """Scopes on the Things whose names match a pattern as in a shell."""

    scopes: frozenset[Scope]
    things: str = "*"

    def covers(self, scope: Scope, thing: str) -> bool:
        has_scope = scope in self.scopes or Scope.ADMIN in self.scopes
        return has_scope and fnmatchcase(thing, self.things)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody whose credentials were checked. `expires_at` is as of `time.time`; None is never."""

    name: str
    grants: tuple[Grant, ...]
    expires_at: float | None = None

    @property
    def seconds_left(self) -> float:
        """How long the credentials hold yet."""
        return float("inf") if self.expires_at is None else self.expires_at - time.time()

    def may(self, scope: Scope, thing: str) -> bool:
        return any(grant.covers(scope, thing) for grant in self.grants)


_ACTING: ContextVar[Principal | None] = ContextVar("acting", default=None)
_ADDRESS: ContextVar[str] = ContextVar("address", default="")


@contextlib.contextmanager
def acting_as(principal: Principal | None, address: str = "") -> Iterator[None]:
    """A block in which everything is asked for by this principal; tasks begun in it keep it.

    `address` is where that comes from, for the record.
    """
    token, place = _ACTING.set(principal), _ADDRESS.set(address)
    try:
        yield
    finally:
        _ACTING.reset(token)
        _ADDRESS.reset(place)


def arrive_from(address: str) -> None:
    """Where all that is asked for in this context comes from, unless `acting_as` says otherwise."""
    _ADDRESS.set(address)


def acting() -> Principal | None:
    """Who asks; None when nobody has shown credentials."""
    return _ACTING.get()


def acting_from() -> str:
    """Where who asks is; empty when that is not known."""
    return _ADDRESS.get()


class Policy:
    """Whether everybody may do everything, or only principals what they are allowed."""

    def __init__(self, *, is_open: bool) -> None:
        self.is_open = is_open

    def require_somebody(self) -> None:
        """Raises Unauthorized: before anything is looked up, so that strangers learn of nothing."""
        if self.is_open:
            return
        principal = _ACTING.get()
        if principal is None:
            raise Unauthorized("this takes credentials; the Thing Description says which")
        if principal.seconds_left <= 0:  # of a connection that has outlived them
            raise Unauthorized("the credentials have expired")

    def allows(self, scope: Scope, thing: str) -> bool:
        """Whether who asks may do that."""
        principal = _ACTING.get()
        return self.is_open or (principal is not None and principal.may(scope, thing))

    def require(self, scope: Scope, thing: str) -> None:
        """Raises Unauthorized when nobody is known to ask, Forbidden when they may not."""
        if self.is_open:
            return
        self.require_somebody()
        principal = _ACTING.get()
        if principal is not None and not principal.may(scope, thing):
            raise Forbidden(f"{principal.name!r} has no scope {scope.value!r} here")
