"""Who may come to the private broker, and which topics they may use there, as mosquitto reads it."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from servient.bindings.mqtt.topics import ANSWERS, READ, STATUS, WRITE, Topics
from servient.bindings.paths import thing_path
from servient.mqtt.terms import OUTPUT, PROBLEM
from servient.security.secrets import hash_for_mosquitto
from servient.wot.access import Principal, Scope, scope_of
from servient.wot.description import Description
from servient.wot.operations import AffordanceKind, Operation


@dataclass(frozen=True, slots=True)
class Member:
    """A principal, and the hash of its password as mosquitto makes it ($7$…)."""

    principal: Principal
    password_hash: str


class Doorkeeper:
    """Knows the members, and the servient itself, whose name and password are new with each start."""

    def __init__(self, members: Iterable[Member], topics: Topics) -> None:
        self._members = tuple(members)
        self._topics = topics
        self.name = f"servient-{secrets.token_hex(8)}"
        self.password = secrets.token_urlsafe(32)
        self._edition = 0
        self._own_hash = hash_for_mosquitto(self.password)

    @property
    def principals(self) -> tuple[Principal, ...]:
        """Of whom the broker has checked that it is one of those who may."""
        return tuple(member.principal for member in self._members)

    @property
    def principal(self) -> Principal:
        """All of them together."""
        return Principal("mqtt", tuple(g for each in self.principals for g in each.grants))

    def passwords(self) -> str:
        """The file of passwords (mosquitto_passwd(1))."""
        lines = [f"{self.name}:{self._own_hash}"]
        lines += [f"{member.principal.name}:{member.password_hash}" for member in self._members]
        return "\n".join(lines) + "\n"

    @property
    def mark(self) -> str:
        """The topic that only the last access list lets the servient use."""
        return f"{self.name}/{self._edition}"

    def access_list(self, things: Iterable[Description]) -> str:
        """The file of what each may read and write (mosquitto.conf(5), acl_file).

        It names every Thing and action: a pattern of topics could not say what a grant says.
        """
        self._edition += 1
        known = tuple(things)
        lines = [
            f"user {self.name}",
            f"topic readwrite {self._topics.prefix}/#",
            f"topic write {ANSWERS}/#",
            f"topic write {self.mark}",
        ]
        for member in self._members:
            name = member.principal.name
            lines += ["", f"user {name}", f"topic read {self._topics.status}"]
            lines.append(f"topic readwrite {ANSWERS}/{name}/#")
            for thing in known:
                lines += self._of_thing(member.principal, thing)
        return "\n".join(lines) + "\n"

    def _of_thing(self, principal: Principal, thing: Description) -> Iterator[str]:
        base = f"{self._topics.prefix}{thing_path(thing.name)}"
        properties = f"{base}/{AffordanceKind.PROPERTY}/+"
        sees_answers = principal.may(Scope.READ, thing.name)
        if sees_answers:
            yield f"topic read {base}/{STATUS}"
            yield f"topic read {properties}"
            yield f"topic read {base}/{AffordanceKind.EVENT}/+"
            yield from _request(f"{properties}/{READ}", sees_answers)
        if principal.may(Scope.INVOKE, thing.name):
            yield from _request(f"{properties}/{WRITE}", sees_answers)
        for affordance in thing:
            if affordance.kind is AffordanceKind.ACTION and principal.may(
                scope_of(Operation.INVOKE_ACTION, affordance), thing.name
            ):
                yield from _request(self._topics.of(thing.name, affordance), sees_answers)


def _request(topic: str, sees_answers: bool) -> Iterator[str]:
    """Answers below a topic are seen by all who may ask there: only for those who may read."""
    yield f"topic write {topic}"
    yield f"topic write {topic}/+"
    if sees_answers:
        yield f"topic read {topic}/+/{OUTPUT}"
        yield f"topic read {topic}/+/{PROBLEM}"
