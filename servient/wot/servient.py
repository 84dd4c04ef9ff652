"""WoTPy's Servient made fit: exposing and destroying touch one Thing, TDs are served as given."""

import asyncio
import itertools
import logging
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from tornado.httpserver import HTTPServer
from wotpy.wot.servient import Servient as WotpyServient

from servient.errors import NotFound
from servient.wot.access import Policy
from servient.wot.binding import Binding
from servient.wot.catalogue import close_catalogue, serve_catalogue
from servient.wot.changes import Change, Changes
from servient.wot.description import Description, Document, secured
from servient.wot.entry import WoT
from servient.wot.invocations import Invocations
from servient.wot.thing import ExposedThing
from servient.wot.thing_set import ThingSet
from servient.wot.tracer import Tracer
from servient.wot.witness import Witness

logger = logging.getLogger(__name__)

INVOCATION_DEADLINE_SECONDS = 60.0
# For handlers that do not end although they are cancelled.
SHUTDOWN_SECONDS = 5.0


class Servient(WotpyServient):
    """Things and the bindings that serve them."""

    def __init__(
        self,
        hostname: str = "127.0.0.1",
        clients: Iterable[Any] = (),
        invocations: Invocations | None = None,
        invocation_deadline_seconds: float = INVOCATION_DEADLINE_SECONDS,
        catalogue_port: int | None = None,
        catalogue_host: str = "127.0.0.1",
        policy: Policy | None = None,
    ) -> None:
        super().__init__(hostname=hostname, catalogue_port=catalogue_port, clients=list(clients))
        self._exposed_thing_set = ThingSet()
        self._catalogue_host = catalogue_host
        self._catalogue: HTTPServer | None = None
        self._enabled: dict[str, ExposedThing] = {}
        self._tds: WeakKeyDictionary[Description, Document] = WeakKeyDictionary()
        self._tasks: set[asyncio.Task[None]] = set()
        # An empty history is false.
        self.invocations = Invocations() if invocations is None else invocations
        self.policy = policy or Policy(is_open=True)
        self.invocation_deadline_seconds = invocation_deadline_seconds
        self.witness: Witness | None = None
        self.tracer: Tracer | None = None
        self.notification_ids = itertools.count(1)
        self.changes = Changes()

    def _build_default_clients(self) -> None:
        """WoTPy would make clients of its own here; a servient has those that it is given."""

    # Things

    @property
    def enabled_exposed_things(self) -> Iterator[ExposedThing]:
        yield from tuple(self._enabled.values())

    def serves(self, name: str) -> bool:
        """Whether there is a Thing under this name in paths."""
        return name in self._enabled

    def exposed(self, name: str) -> ExposedThing:
        """The Thing that is served under this name, id or title. Raises NotFound."""
        found = self._enabled.get(name)
        if found is None:
            found = self._exposed_thing_set.find_by_thing_title(name)
        if found is None or found.name not in self._enabled:
            raise NotFound(f"no Thing {name[:200]!r}")
        return found

    def enable_exposed_thing(self, thing_title: str) -> None:
        thing = self.get_exposed_thing(thing_title)
        if thing.name in self._enabled:
            return
        self._enabled[thing.name] = thing
        for server in self._servers.values():
            server.add_exposed_thing(thing)
        self.changes.tell(Change.CREATED, thing)

    def disable_exposed_thing(self, thing_title: str) -> None:
        thing = self.get_exposed_thing(thing_title)
        if self._enabled.pop(thing.name, None) is None:
            raise ValueError(f"Thing {thing_title!r} is not exposed")
        for server in self._servers.values():
            server.remove_exposed_thing(thing.name)
        self.changes.tell(Change.DELETED, thing)

    def redescribed(self, thing: ExposedThing) -> None:
        """A Thing has another description than before."""
        if self._enabled.get(thing.name) is thing:
            self.changes.tell(Change.UPDATED, thing)

    def remove_exposed_thing(self, thing_title: str) -> None:
        """Destroy a Thing: nobody is served any more, and every subscription to it ends."""
        thing = self.get_exposed_thing(thing_title)
        if thing.name in self._enabled:
            self.disable_exposed_thing(thing_title)
        self._exposed_thing_set.remove(thing_title)
        thing.publisher.end()

    # Thing Descriptions

    def td(self, thing: ExposedThing) -> Document:
        """The complete TD, with the forms of every binding; worked out once. Not to be changed."""
        described = thing.description
        document = self._tds.get(described)
        if document is None:
            bindings = [server for server in self._servers.values() if isinstance(server, Binding)]
            forms = {
                (affordance.kind, affordance.name): [
                    form
                    for binding in bindings
                    for form in secured(binding.forms(described, affordance), binding.security())
                ]
                for affordance in described
            }
            own = [
                form
                for binding in bindings
                for form in secured(binding.thing_forms(described), binding.security())
            ]
            profiles = [name for binding in bindings for name in binding.profiles(described)]
            securities = [found for each in bindings if (found := each.security()) is not None]
            document = described.with_forms(forms, own, profiles, securities)
            self._tds[described] = document
        return document

    def refresh_forms(self) -> None:
        """Have the forms of every TD worked out anew at the next look."""
        self._tds.clear()

    # Life

    def _start_catalogue(self) -> None:
        """WoTPy's would listen on all interfaces, and lose what its model does not know."""
        if self.catalogue_port is not None:
            self._catalogue = serve_catalogue(self, self._catalogue_host, self.catalogue_port)

    async def _close_catalogue(self) -> None:
        if self._catalogue is not None:
            server, self._catalogue = self._catalogue, None
            await close_catalogue(server)

    def run(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run a task that lives until it is done or the servient stops."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def start(self) -> WoT:
        """Start the bindings; when one cannot start, those that did are stopped again."""
        async with self._servient_lock:
            if self.is_running:
                return WoT(self)
            started: list[Any] = []
            try:
                await self.startup_hook()
                for server in self._servers.values():
                    await self._start_server(server)
                    started.append(server)
                self._start_catalogue()
            except BaseException:
                await _stop(reversed(started))
                raise
            self.refresh_forms()  # ports are known only now
            self._is_running = True
        return WoT(self)

    async def _start_server(self, server: Any) -> None:
        try:
            await server.start(self)
        except OSError as error:
            if error.errno is None:  # a binding's own words, which say all there is to say
                raise
            where = f"{server.protocol} on port {server.port}"
            raise OSError(error.errno, f"{where}: {error.strerror or error}") from error

    async def shutdown(self) -> None:
        """End every subscription, stop the bindings, cancel what still runs."""
        async with self._servient_lock:
            try:
                await self.shutdown_hook()
            finally:
                self._end_subscriptions()
                if self.is_running:
                    self._is_running = False
                    await _stop(reversed(self._servers.values()))
                    await self._close_catalogue()
                self._end_subscriptions()  # also of those who came in the meantime
                await self._end_tasks()

    def _end_subscriptions(self) -> None:
        for thing in self._exposed_thing_set.exposed_things:
            thing.publisher.end()

    async def _end_tasks(self) -> None:
        # Without the one that we are called from: a handler may shut its own servient down.
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _, busy = await asyncio.wait(tasks, timeout=SHUTDOWN_SECONDS)
        for task in busy:
            logger.warning("%s does not end although it is cancelled", task.get_name())


async def _stop(servers: Iterable[Any]) -> None:
    """Stop them all, whatever one of them raises."""
    for server in servers:
        try:
            await server.stop()
        except Exception:  # the others have to be stopped nevertheless
            logger.exception("the %s binding could not be stopped", server.protocol)
