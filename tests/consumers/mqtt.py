"""A consumer over MQTT on paho-mqtt."""

import asyncio
import contextlib
import itertools
import json
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.consumers.consumer import Refused
from tests.consumers.paho import Messages, PahoClient, Received

ANSWER_SECONDS = 15.0
RETAINED_SECONDS = 0.5  # before the value is asked for instead
JSON, PROBLEM = "application/json", "application/problem+json"
REQUEST_TOPIC, STATUS_TOPIC = "wasm:requestTopic", "wasm:statusTopic"


class MqttConsumer:
    """With MQTT 5 an answer comes on a Response Topic, with 3.1.1 below the topic of the request."""

    def __init__(self, td: dict[str, Any], version: int = 5) -> None:
        self._td = td
        url = urlsplit(self._any_href())
        self._client = PahoClient(url.hostname or "", url.port or 1883, version)
        self._stack = contextlib.AsyncExitStack()
        self._lock = asyncio.Lock()
        self._is_connected = False
        self._numbers = itertools.count()

    # Interactions

    async def read(self, name: str) -> Any:
        """The retained value; what is not retained is asked for."""
        for form in self._own_forms("properties", name, "readproperty"):
            if "mqv:filter" in form:
                async with self._listening(form["mqv:filter"]) as messages:
                    with contextlib.suppress(TimeoutError):
                        message = await asyncio.wait_for(messages.get(), RETAINED_SECONDS)
                        return _value(message, form)
        return await self._request(self._form("properties", name, "readproperty", "publish"))

    async def write(self, name: str, value: Any) -> None:
        form = self._form("properties", name, "writeproperty", "publish")
        assert await self._request(form, json.dumps(value)) is None

    async def invoke(self, name: str, value: Any = None) -> Any:
        payload = "" if value is None else json.dumps(value)
        return await self._request(self._form("actions", name, "invokeaction", "publish"), payload)

    def observe(self, name: str) -> contextlib.AbstractAsyncContextManager[AsyncIterator[Any]]:
        return self._values(self._form("properties", name, "observeproperty", "subscribe"))

    def subscribe(self, name: str) -> contextlib.AbstractAsyncContextManager[AsyncIterator[Any]]:
        return self._values(self._form("events", name, "subscribeevent", "subscribe"))

    async def close(self) -> None:
        await self._stack.aclose()

    # Forms

    def _any_href(self) -> str:
        for kind in ("properties", "actions", "events"):
            for affordance in self._td.get(kind, {}).values():
                for form in affordance["forms"]:
                    if form["href"].startswith("mqtt:"):
                        return str(form["href"])
        raise LookupError("the TD has no MQTT forms")

    def _own_forms(self, kind: str, name: str, operation: str) -> Iterator[dict[str, Any]]:
        for form in self._td[kind].get(name, {}).get("forms", ()):
            operations = form["op"] if isinstance(form["op"], list) else [form["op"]]
            if form["href"].startswith("mqtt:") and operation in operations:
                yield form

    def _form(self, kind: str, name: str, operation: str, packet: str) -> dict[str, Any]:
        for candidate in (name, *self._td[kind]):
            for form in self._own_forms(kind, candidate, operation):
                if form["mqv:controlPacket"] == packet:
                    return form if candidate == name else _renamed(form, kind, name)
        raise LookupError(f"no form to {operation} in {kind}")

    # Messages

    @contextlib.asynccontextmanager
    async def _values(self, form: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        """Until the Thing is no more, which an empty message on its status topic says."""
        status = form[STATUS_TOPIC]
        async with self._listening(form["mqv:filter"], status) as messages:

            async def values() -> AsyncIterator[Any]:
                while True:
                    message = await messages.get()
                    if message.topic != status:
                        yield _value(message, form)
                    elif not message.payload:
                        return

            yield values()

    async def _request(self, form: dict[str, Any], payload: str = "") -> Any:
        number = next(self._numbers)
        if self._client.version == 5:
            topic, below = form["mqv:topic"], f"answers/{uuid.uuid4().hex}"
            properties: dict[str, Any] = {"ResponseTopic": below, "CorrelationData": b"%d" % number}
            topics: tuple[str, ...] = (below,)
        else:
            topic = form[REQUEST_TOPIC].replace("{request}", f"r-{number}")
            properties = {}
            topics = (f"{topic}/output", f"{topic}/problem")
        async with self._listening(*topics) as messages:
            await self._client.publish(topic, payload, **properties)
            message = await asyncio.wait_for(messages.get(), ANSWER_SECONDS)
        if properties:
            assert message.correlation == b"%d" % number
        if message.content_type == PROBLEM or message.topic.endswith("/problem"):
            raise Refused(json.loads(message.payload))
        return _value(message, form)

    @contextlib.asynccontextmanager
    async def _listening(self, *topics: str) -> AsyncIterator[Messages]:
        async with self._lock:
            if not self._is_connected:
                await self._stack.enter_async_context(self._client)
                self._is_connected = True
        async with self._client.listening(*topics) as messages:
            yield messages


def _renamed(form: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    """The form of another affordance of the kind."""
    topics = ("href", "mqv:topic", "mqv:filter", REQUEST_TOPIC)
    return {
        term: re.sub(rf"(/{kind}/)[^/]+", rf"\g<1>{name}", value) if term in topics else value
        for term, value in form.items()
    }


def _value(message: Received, form: dict[str, Any]) -> Any:
    if not message.payload:
        return None
    expected = form.get("response", form).get("contentType", JSON)
    is_json = (message.content_type or expected) == JSON
    return json.loads(message.payload) if is_json else message.payload
