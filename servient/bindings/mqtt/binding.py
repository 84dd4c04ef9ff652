"""The MQTT binding as the servient sees it: a life, and forms."""

import contextlib
from typing import Any

from wotpy.protocols.enums import Protocols

from servient.bindings.mqtt.access import BrokerAccess
from servient.bindings.mqtt.admission import Admission
from servient.bindings.mqtt.askers import Askers
from servient.bindings.mqtt.forms import Forms
from servient.bindings.mqtt.mirror import Mirror
from servient.bindings.mqtt.outbox import Outbox
from servient.bindings.mqtt.responder import REQUESTS_LIMIT, Responder
from servient.bindings.mqtt.sweep import Sweep
from servient.bindings.mqtt.topics import Topics
from servient.bindings.paths import thing_path
from servient.mqtt.connection import Connection, connect
from servient.mqtt.errors import MqttError
from servient.mqtt.message import Broker, Identity, Message, new_client_id
from servient.mqtt.session import Session
from servient.mqtt.terms import OFFLINE, ONLINE
from servient.wot.access import Scope
from servient.wot.binding import Binding
from servient.wot.description import Affordance, Description, Form, Security
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing

PAYLOAD_LIMIT_BYTES = 16 * 1024 * 1024
# For what is somewhat too large there is an answer; what is much larger never gets here.
_HEADROOM_BYTES = 1024 * 1024
GOODBYE_SECONDS = 5.0
# For so long after a crash or a lost connection the broker keeps requests for the servient.
KEEP_SECONDS = 3600


class MqttBinding(Binding):
    """Serves Things over one connection to a broker, all topics below `prefix`.

    `public_host` and `public_port` are how consumers reach the broker, if not as we do. The prefix is
    this servient's alone: what it finds retained there and does not know, it clears. `client_id` is
    too, of 1 to 23 letters and digits: by it the broker knows a servient that comes back, and hands
    it what was requested meanwhile. `access` says who may do what by way of the broker.
    """

    def __init__(
        self,
        broker_host: str,
        broker_port: int,
        *,
        prefix: str,
        public_host: str | None = None,
        public_port: int | None = None,
        username: str | None = None,
        password: str | None = None,
        payload_limit_bytes: int = PAYLOAD_LIMIT_BYTES,
        requests_limit: int = REQUESTS_LIMIT,
        client_id: str | None = None,
        access: BrokerAccess | None = None,
    ) -> None:
        super().__init__(public_host or broker_host, public_port or broker_port)
        self._access = access
        self.topics = Topics(prefix, is_guarded=access is not None and access.admit is not None)
        self._broker = Broker(broker_host, broker_port, username, password)
        self._payload_limit_bytes = payload_limit_bytes
        self._requests_limit = requests_limit
        self._identity = Identity(client_id or new_client_id(), KEEP_SECONDS, requests_limit)
        self._forms = Forms(self.origin, self.topics)
        self._running: _Running | None = None

    @property
    def protocol(self) -> str:
        mqtt: str = Protocols.MQTT
        return mqtt

    @property
    def version(self) -> int | None:
        """Of MQTT on the connection: 5, 4 for 3.1.1, or None while there is none."""
        connection = self._running.session.connection if self._running else None
        return connection.version if connection else None

    @property
    def is_up_to_date(self) -> bool:
        """Whether the broker knows of all Things who may have to do with them."""
        return self._running is not None and self._running.is_up_to_date

    # Life

    async def start(self, servient: Servient) -> None:
        """A broker that is away is tried again until it is there; all else goes on without it."""
        running = _Running(
            self._broker,
            self.topics,
            servient,
            self._identity,
            self._payload_limit_bytes,
            self._requests_limit,
            self._access,
        )
        self._running = running
        try:
            await running.start()
        except BaseException:
            self._running = None
            raise

    async def stop(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            await running.stop()

    def add_exposed_thing(self, exposed_thing: ExposedThing) -> None:
        if self._running is not None:
            self._running.add(exposed_thing)

    def remove_exposed_thing(self, thing_id: str) -> None:
        if self._running is not None:
            self._running.remove(thing_id)

    # Descriptions

    @property
    def origin(self) -> str:
        host = f"[{self.public_host}]" if ":" in self.public_host else self.public_host
        return f"mqtt://{host}:{self.port}"

    def forms(self, thing: Description, affordance: Affordance) -> list[Form]:
        return self._forms.of(thing.name, affordance)

    def security(self) -> Security | None:
        return self._access.security if self._access else None

    def build_base_url(self, hostname: str, thing: Any) -> str:
        """WoTPy's way to ask where a Thing is."""
        path = thing_path(thing.url_name) if thing is not None else ""
        return f"{self.origin}/{self.topics.prefix}{path}"


class _Running:
    """What exists while the binding runs."""

    def __init__(
        self,
        broker: Broker,
        topics: Topics,
        servient: Servient,
        identity: Identity,
        payload_limit_bytes: int,
        requests_limit: int,
        access: BrokerAccess | None,
    ) -> None:
        self._broker = broker
        self._access = access
        self._identity = identity
        self._topics = topics
        self._servient = servient
        self._packet_limit_bytes = payload_limit_bytes + _HEADROOM_BYTES
        self._outbox = Outbox()
        self.mirror = Mirror(topics, self._outbox, payload_limit_bytes, self._shows)
        self._responder = Responder(
            servient,
            topics,
            self._outbox,
            self.mirror,
            payload_limit_bytes=payload_limit_bytes,
            requests_limit=requests_limit,
            askers=Askers(servient, access),
        )
        self._sweep: Sweep | None = Sweep(topics, self.mirror)
        self.session = Session(self._open, self._use, self._outbox.detach)
        self._admission = self._make_admission(access)

    def _make_admission(self, access: BrokerAccess | None) -> Admission | None:
        if access is None or access.admit is None:
            return None
        servient = self._servient
        return Admission(
            access.admit,
            lambda: servient.enabled_exposed_things,
            self.mirror.add,
            self.session.connected,
        )

    def _shows(self, thing: str) -> bool:
        """Without a word on who is on the broker, nobody may read what is not for everybody."""
        if self._servient.policy.is_open:
            return True
        access = self._access
        return access is not None and access.principal.may(Scope.READ, thing)

    @property
    def is_up_to_date(self) -> bool:
        return self._admission is None or self._admission.is_over

    def add(self, thing: ExposedThing) -> None:
        if self._admission is None:
            self.mirror.add(thing)
        else:
            self._admission.due()

    def remove(self, name: str) -> None:
        self.mirror.remove(name)
        if self._admission is not None:
            self._admission.due()

    async def start(self) -> None:
        for thing in self._servient.enabled_exposed_things:
            self.add(thing)
        try:
            await self.session.begin()
        except BaseException:
            if self._admission is not None:
                await self._admission.stop()
            self.mirror.clear()
            await self.session.stop()
            raise

    async def stop(self) -> None:
        """Nothing but the servient's status stays on the broker."""
        connection = self.session.connection
        if connection is not None:
            with contextlib.suppress(MqttError):
                await connection.unsubscribe(*self._topics.request_filters)
        await self._responder.stop()
        if self._admission is not None:
            await self._admission.stop()
        self.mirror.clear()
        self._outbox.put(Message(self._topics.status, OFFLINE, is_retained=True))
        if self.session.connection is not None:
            await self._outbox.drained(GOODBYE_SECONDS)
        await self.session.stop()

    async def _open(self) -> Connection:
        will = Message(self._topics.status, OFFLINE, is_retained=True)
        return await connect(
            self._broker,
            self._receive,
            will=will,
            packet_limit_bytes=self._packet_limit_bytes,
            identity=self._identity,
        )

    async def _use(self, connection: Connection) -> None:
        """First what makes us hear requests, then what tells others that we do."""
        await connection.subscribe(*self._topics.request_filters, is_own_heard=False)
        if self._outbox.has_lost_clears:
            self._sweep = Sweep(self._topics, self.mirror)
        if self._sweep is not None:
            await self._sweep.run(connection)
            self._sweep = None
            self._outbox.has_lost_clears = False
        self._outbox.put(Message(self._topics.status, ONLINE, is_retained=True))
        self.mirror.republish()
        self._outbox.attach(connection)

    def _receive(self, message: Message) -> None:
        request = self._topics.parse(message.topic)
        # A retained request would be made again at every connection.
        if request is not None and not message.is_retained:
            self._responder.accept(request, message)
            return
        message.acknowledge()
        if request is None and self._sweep is not None:
            self._sweep.hear(message)
