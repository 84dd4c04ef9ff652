"""The HTTP binding as the servient sees it: a life, and forms."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from wotpy.protocols.enums import Protocols

from servient.bindings.http.action_statuses import ActionStatuses
from servient.bindings.http.application import Application
from servient.bindings.http.directory import Directory
from servient.bindings.http.extension import Extension
from servient.bindings.http.forms import to_forms, to_thing_forms
from servient.bindings.http.interactions import Interactions
from servient.bindings.http.listener import Listener
from servient.bindings.http.notifications import Notifications
from servient.bindings.http.polls import Polls
from servient.bindings.http.profiles import profiles_of
from servient.bindings.http.protocol import Limits
from servient.bindings.http.replays import Replays
from servient.bindings.http.subscribers import Subscribers
from servient.bindings.http.whole_things import WholeThings
from servient.bindings.paths import affordance_path, thing_path
from servient.security.authenticator import Authenticator
from servient.security.describe import to_security
from servient.wot.binding import Binding
from servient.wot.description import Affordance, Description, Form, Security
from servient.wot.door import Door
from servient.wot.servient import Servient

BODY_LIMIT_BYTES = 16 * 1024 * 1024
# Neither node-wot nor WoTPy can take an empty answer to a poll, and node-wot gives up after an hour.
LONG_POLL_SECONDS = 3000.0
HEARTBEAT_SECONDS = 15.0
SUBSCRIPTIONS_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class _Parts:
    """What exists while the binding runs."""

    directory: Directory
    subscribers: Subscribers
    polls: Polls
    replays: Replays
    listener: Listener


class HttpBinding(Binding):
    """Serves Things over HTTP/1.1 on one address.

    `public_host` stands in forms; `host` and `port` are where it listens, port 0 being any free one.
    `directory_thing` is the name of the servient's own Thing, `extensions` add routes of their own,
    `larger_bodies` are limits of their own for the bodies of some paths.
    """

    def __init__(
        self,
        public_host: str,
        host: str,
        port: int,
        *,
        extensions: Sequence[Extension] = (),
        directory_thing: str | None = None,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        larger_bodies: Mapping[str, int] = MappingProxyType({}),
        long_poll_seconds: float = LONG_POLL_SECONDS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        subscriptions_limit: int = SUBSCRIPTIONS_LIMIT,
        limits: Limits | None = None,
        authenticator: Authenticator | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(public_host, port)
        self._host = host
        self._extensions = tuple(extensions)
        self._directory_thing = directory_thing
        self._body_limit_bytes = body_limit_bytes
        self._larger_bodies = larger_bodies
        self._long_poll_seconds = long_poll_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._subscriptions_limit = subscriptions_limit
        self._limits = limits or Limits()
        self._authenticator = authenticator
        self._tls = tls
        self._parts: _Parts | None = None

    @property
    def protocol(self) -> str:
        http: str = Protocols.HTTP
        return http

    # Life

    async def start(self, servient: Servient) -> None:
        """Raises OSError when it cannot listen."""
        door = Door(servient, "http")
        subscribers = Subscribers(door, self._subscriptions_limit)
        polls = Polls(subscribers)
        replays = Replays(door)
        notifications = Notifications(
            servient,
            subscribers,
            polls,
            replays,
            long_poll_seconds=self._long_poll_seconds,
            heartbeat_seconds=self._heartbeat_seconds,
        )
        directory = Directory(servient, self._directory_thing)
        routes: list[Extension] = [
            Interactions(servient, door),
            notifications,
            ActionStatuses(door),
            WholeThings(door, notifications.stream_all),
            directory,
            *self._extensions,
        ]
        application = Application(
            routes, self._body_limit_bytes, self._authenticator, self._larger_bodies
        )
        listener = Listener(application.answer, self._limits, self._tls)
        self._port: int = await listener.start(self._host, self.port)
        self._parts = _Parts(directory, subscribers, polls, replays, listener)
        servient.refresh_forms()  # the port may have become known only now

    async def stop(self) -> None:
        if self._parts is None:
            return
        parts, self._parts = self._parts, None
        parts.polls.close()
        parts.replays.close()
        parts.subscribers.end()
        await parts.listener.stop()
        parts.polls.close()  # of answers given in the last moment

    def remove_exposed_thing(self, thing_id: str) -> None:
        if self._parts is not None:
            self._parts.directory.forget(thing_id)

    # Descriptions

    @property
    def origin(self) -> str:
        host = f"[{self.public_host}]" if ":" in self.public_host else self.public_host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def forms(self, thing: Description, affordance: Affordance) -> list[Form]:
        return to_forms(self.origin + affordance_path(thing.name, affordance), affordance)

    def thing_forms(self, thing: Description) -> list[Form]:
        return to_thing_forms(self.origin + thing_path(thing.name), thing)

    def profiles(self, thing: Description) -> list[str]:
        return profiles_of(thing, self.security())

    def security(self) -> Security | None:
        return to_security(self._authenticator.schemes) if self._authenticator else None

    def build_base_url(self, hostname: str, thing: Any) -> str:
        """WoTPy's way to ask where a Thing is."""
        return self.origin + thing_path(thing.url_name)
