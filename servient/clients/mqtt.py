"""WoTPy's MQTT client with right results: for programs that consume Things."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from wotpy.protocols.client import BaseProtocolClient
from wotpy.protocols.enums import Protocols
from wotpy.protocols.exceptions import ClientRequestTimeout, FormNotFoundException
from wotpy.wot.events import EmittedEvent, PropertyChangeEmittedEvent, PropertyChangeEventInit

from servient.clients.errors import InteractionRefused
from servient.clients.mqtt_form import MqttForm, find_forms, for_value
from servient.clients.mqtt_link import MqttLink
from servient.clients.observable import to_observable
from servient.mqtt.message import Broker, Message
from servient.mqtt.terms import PROBLEM, REQUEST
from servient.wot.content import Content, Value, encode, is_json, parse_json, to_json
from servient.wot.operations import AffordanceKind, Operation

PROBLEM_MEDIA_TYPE = "application/problem+json"
REQUEST_SECONDS = 5.0
# Of one subscription; the oldest are lost beyond that.
WAITING_LIMIT = 1024


class MqttClient(BaseProtocolClient):
    """Reads, writes, invokes, observes and subscribes over MQTT, on one connection for each broker.

    Results are what the Thing sent: any JSON value, `Content` for other media types, None for no
    value. Raises InteractionRefused with the Problem Details of a refusal, ClientRequestTimeout, and
    servient.mqtt.errors.MqttError, an OSError, when the broker cannot be used. A Thing whose forms do
    not promise answers is published to, and nothing is waited for.
    """

    def __init__(
        self,
        timeout_default: float = REQUEST_SECONDS,
        username: str | None = None,
        password: str | None = None,
    ) -> None:
        self._timeout_seconds = timeout_default
        self._username = username
        self._password = password
        self._links: dict[tuple[str, int], MqttLink] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def protocol(self) -> str:
        mqtt: str = Protocols.MQTT
        return mqtt

    def set_security(self, security_scheme_dict: Any, credentials: Any) -> None:
        """The name and password for brokers, of connections from now on."""
        self._username = credentials.get("username")
        self._password = credentials.get("password")

    async def close(self) -> None:
        """End every subscription and disconnect; nothing of it stays on the brokers."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        links, self._links = self._links, {}
        for link in links.values():
            await link.close()

    # Interactions, as WoTPy's ConsumedThing asks for them

    def is_supported_interaction(self, td: Any, name: str) -> bool:
        return any(
            find_forms(td._doc, kind, name, operation)
            for kind in AffordanceKind
            for operation in Operation
        )

    async def read_property(
        self,
        td: Any,
        name: str,
        timeout: float | None = None,  # noqa: ASYNC109 - WoTPy's interface
    ) -> Value:
        forms = _forms(td, AffordanceKind.PROPERTY, name, Operation.READ_PROPERTY)
        return await self._in_time(self._read(forms, name), timeout)

    async def write_property(
        self,
        td: Any,
        name: str,
        value: Value,
        timeout: float | None = None,  # noqa: ASYNC109 - WoTPy's interface
    ) -> None:
        forms = _forms(td, AffordanceKind.PROPERTY, name, Operation.WRITE_PROPERTY)
        form = for_value(forms, _media_type(value))
        content = Content(to_json(value)) if is_json(form.media_type) else encode(value)
        await self._in_time(self._request(form, content), timeout)

    async def invoke_action(
        self,
        td: Any,
        name: str,
        input_value: Value = None,
        timeout: float | None = None,  # noqa: ASYNC109 - WoTPy's interface
    ) -> Value:
        forms = _forms(td, AffordanceKind.ACTION, name, Operation.INVOKE_ACTION)
        form, content = for_value(forms, _media_type(input_value)), None
        if input_value is not None:
            takes_json = is_json(form.media_type)
            content = Content(to_json(input_value)) if takes_json else encode(input_value)
        return await self._in_time(self._request(form, content), timeout)

    def on_property_change(self, td: Any, name: str) -> Any:
        forms = _forms(td, AffordanceKind.PROPERTY, name, Operation.OBSERVE_PROPERTY)
        return self._observable(
            forms[0],
            lambda value: PropertyChangeEmittedEvent(PropertyChangeEventInit(name, value)),
        )

    def on_event(self, td: Any, name: str) -> Any:
        forms = _forms(td, AffordanceKind.EVENT, name, Operation.SUBSCRIBE_EVENT)
        return self._observable(forms[0], lambda value: EmittedEvent(init=value, name=name))

    def on_td_change(self, url: str) -> Any:
        raise NotImplementedError

    # Requests

    def _link(self, form: MqttForm) -> MqttLink:
        key = form.host, form.port
        link = self._links.get(key)
        if link is None:
            broker = Broker(form.host, form.port, self._username, self._password)
            link = self._links[key] = MqttLink(broker)
        return link

    async def _in_time(self, work: Awaitable[Value], timeout_seconds: float | None) -> Value:
        limit = timeout_seconds or self._timeout_seconds
        try:
            async with asyncio.timeout(limit):
                return await work
        except TimeoutError as error:
            raise ClientRequestTimeout(f"no answer within {limit:g} s") from error

    async def _read(self, forms: list[MqttForm], name: str) -> Value:
        """The retained value; if there is none, the Thing is asked, who says why."""
        for form in forms:
            if form.is_heard:
                message = await self._link(form).retained(form.topic)
                if message is not None and message.payload:
                    return _to_value(message, form)
            elif form.request_topic is not None:
                return await self._request(form, None)
        detail = f"nothing is retained for property {name!r}"
        raise InteractionRefused({"title": "No value yet", "status": 404, "detail": detail})

    async def _request(self, form: MqttForm, content: Content | None) -> Value:
        link, payload = self._link(form), content.body if content else b""
        media_type = content.media_type if content else None
        if form.request_topic is None:
            connection = await link.connection()
            await connection.send(Message(form.topic, payload, content_type=media_type))
            return None
        below = form.request_topic.replace(REQUEST, secrets.token_hex(8))
        return _to_value(await link.ask(form.topic, below, payload, media_type), form)

    # Subscriptions

    def _observable(self, form: MqttForm, emitted: Callable[[Value], Any]) -> Any:
        return to_observable(
            lambda observer: self._deliver(form, emitted, observer),
            self._tasks,
            f"subscription to {form.topic}",
        )

    async def _deliver(
        self, form: MqttForm, emitted: Callable[[Value], Any], observer: Any
    ) -> None:
        changes = _Changes(form)
        topics = [form.topic, *([form.status_topic] if form.status_topic else [])]
        try:
            async with self._link(form).listening(changes.hear, *topics):
                while (message := await changes.queue.get()) is not None:
                    observer.on_next(emitted(_to_value(message, form)))
        except Exception as error:  # noqa: BLE001 - whatever ends it is the observer's to know
            observer.on_error(error)
        else:
            observer.on_completed()


class _Changes:
    """The messages of one topic that are news to a subscriber; None when its Thing is no more."""

    def __init__(self, form: MqttForm) -> None:
        self.queue: asyncio.Queue[Message | None] = asyncio.Queue(WAITING_LIMIT)
        self._form = form
        self._latest: bytes | None = None

    def hear(self, message: Message) -> None:
        """What is retained is no change, unless it changed while there was no connection."""
        if message.topic != self._form.topic:
            if not message.payload:
                self._put(None)
            return
        is_known = message.is_retained and self._latest in (None, message.payload)
        self._latest = message.payload
        if not is_known:
            self._put(message)

    def _put(self, message: Message | None) -> None:
        if self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(message)


def _forms(td: Any, kind: AffordanceKind, name: str, operation: Operation) -> list[MqttForm]:
    """Raises FormNotFoundException."""
    # The document as it came: WoTPy's classes drop members that they do not know, such as topics.
    forms = find_forms(td._doc, kind, name, operation)
    if not forms:
        raise FormNotFoundException(f"no MQTT form to {operation} {name!r}")
    return forms


def _media_type(value: Value) -> str | None:
    return value.media_type if isinstance(value, Content) else None


def _to_value(message: Message, form: MqttForm) -> Value:
    """Raises InteractionRefused for a problem, InvalidInput for what is not what it claims to be."""
    media_type = message.content_type or form.answer_media_type
    if media_type == PROBLEM_MEDIA_TYPE or (
        form.request_topic is not None and message.topic.endswith(f"/{PROBLEM}")
    ):
        problem = parse_json(message.payload)
        raise InteractionRefused(problem if isinstance(problem, dict) else {"detail": problem})
    if not message.payload:
        return None
    if is_json(media_type):
        return parse_json(message.payload)
    return Content(message.payload, media_type)
