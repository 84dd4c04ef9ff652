"""A consumer over WebSockets, on the `websockets` library, in either dialect."""

import contextlib
import itertools
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.consumers.consumer import Refused

DialectName = Literal["webthingprotocol", "jsonrpc"]
OPEN_SECONDS = 10.0
MESSAGE_LIMIT_BYTES = 64 * 2**20

Message = dict[str, Any]


class Speaker(Protocol):
    """How a dialect asks, and what it makes of what comes back."""

    subprotocol: str | None

    def request(self, operation: str, name: str, value: Any) -> Message: ...

    def is_answer(self, request: Message, message: Message) -> bool: ...

    def result(self, answer: Message) -> Any:
        """Raises Refused."""

    def notified(self, request: Message, answer: Message, message: Message) -> list[Any]:
        """The value in a message, if it is one of the subscription's; raises Refused at its end."""


class WebThingSpeaker:
    subprotocol: str | None = "webthingprotocol"

    def __init__(self, thing_id: str) -> None:
        self._thing_id = thing_id

    def request(self, operation: str, name: str, value: Any) -> Message:
        message = {
            "thingID": self._thing_id,
            "messageID": str(uuid.uuid4()),
            "messageType": "request",
            "operation": operation,
            "name": name,
            "correlationID": str(uuid.uuid4()),
        }
        if operation == "writeproperty":
            message["value"] = value
        if operation == "invokeaction" and value is not None:
            message["input"] = value
        return message

    def is_answer(self, request: Message, message: Message) -> bool:
        is_response = message["messageType"] == "response"
        return is_response and bool(message["correlationID"] == request["correlationID"])

    def result(self, answer: Message) -> Any:
        if "error" in answer:
            raise Refused(answer["error"])
        return answer.get("output" if answer["operation"] == "invokeaction" else "value")

    def notified(self, request: Message, answer: Message, message: Message) -> list[Any]:
        if message["messageType"] != "notification":
            return []
        assert message["correlationID"] == request["correlationID"]
        return [message["value" if message["operation"] == "observeproperty" else "data"]]


METHODS = {
    "readproperty": "read_property",
    "writeproperty": "write_property",
    "invokeaction": "invoke_action",
    "observeproperty": "on_property_change",
    "subscribeevent": "on_event",
}
INPUTS = {"writeproperty": "value", "invokeaction": "parameters"}


class JsonRpcSpeaker:
    subprotocol: str | None = None

    def __init__(self) -> None:
        self._ids: Iterator[int] = itertools.count(1)

    def request(self, operation: str, name: str, value: Any) -> Message:
        params = {"name": name}
        if operation in INPUTS:
            params[INPUTS[operation]] = value
        method = METHODS[operation]
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}

    def is_answer(self, request: Message, message: Message) -> bool:
        return bool(message.get("id") == request["id"])

    def result(self, answer: Message) -> Any:
        if "error" in answer:
            raise Refused(answer["error"]["data"])
        return answer["result"]

    def notified(self, request: Message, answer: Message, message: Message) -> list[Any]:
        if "error" in message and message["error"]["data"]["subscription"] == answer["result"]:
            raise Refused(message["error"]["data"])
        if message.get("subscription") != answer["result"]:
            return []
        is_property = request["method"] == "on_property_change"
        return [message["data"]["value"] if is_property else message["data"]]


class WebSocketConsumer:
    """Each request and each subscription on a connection of its own."""

    def __init__(self, td: dict[str, Any], dialect: DialectName = "webthingprotocol") -> None:
        self._td = td
        self._speaker: Speaker = (
            WebThingSpeaker(td["id"]) if dialect == "webthingprotocol" else JsonRpcSpeaker()
        )

    async def read(self, name: str) -> Any:
        return await self._ask("properties", "readproperty", name)

    async def write(self, name: str, value: Any) -> None:
        await self._ask("properties", "writeproperty", name, value)

    async def invoke(self, name: str, value: Any = None) -> Any:
        return await self._ask("actions", "invokeaction", name, value)

    def observe(self, name: str) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        return self._follow("properties", "observeproperty", name)

    def subscribe(self, name: str) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        return self._follow("events", "subscribeevent", name)

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _ask(self, kind: str, operation: str, name: str, value: Any = None) -> Any:
        async with self._connect(self._href(kind, name)) as socket:
            answer = await self._answer(socket, self._speaker.request(operation, name, value))
            return self._speaker.result(answer)

    @contextlib.asynccontextmanager
    async def _follow(
        self, kind: str, operation: str, name: str
    ) -> AsyncIterator[AsyncIterator[Any]]:
        async with self._connect(self._href(kind, name)) as socket:
            request = self._speaker.request(operation, name, None)
            answer = await self._answer(socket, request)
            self._speaker.result(answer)
            yield self._values(
                socket, lambda message: self._speaker.notified(request, answer, message)
            )

    async def _values(
        self, socket: ClientConnection, notified: Callable[[Message], list[Any]]
    ) -> AsyncIterator[Any]:
        with contextlib.suppress(ConnectionClosed, Refused):
            while True:
                for value in notified(json.loads(await socket.recv())):
                    yield value

    async def _answer(self, socket: ClientConnection, request: Message) -> Message:
        await socket.send(json.dumps(request))
        while True:
            message: Message = json.loads(await socket.recv())
            if self._speaker.is_answer(request, message):
                return message

    @contextlib.asynccontextmanager
    async def _connect(self, href: str) -> AsyncIterator[ClientConnection]:
        offered: Any = [self._speaker.subprotocol] if self._speaker.subprotocol else None
        try:
            socket = await connect(
                href,
                subprotocols=offered,
                open_timeout=OPEN_SECONDS,
                max_size=MESSAGE_LIMIT_BYTES,
                compression=None,
                proxy=None,
            )
        except InvalidStatus as refused:
            raise Refused(json.loads(refused.response.body or b"{}")) from refused
        async with socket:
            assert socket.subprotocol == self._speaker.subprotocol
            yield socket

    def _href(self, kind: str, name: str) -> str:
        """Affordances share the URL of their Thing, so any form of the kind will do."""
        affordances = self._td[kind]
        for affordance in [affordances.get(name, {}), *affordances.values()]:
            for form in affordance.get("forms", ()):
                is_ws = form["href"].startswith("ws:")
                if is_ws and form.get("subprotocol") == self._speaker.subprotocol:
                    return str(form["href"])
        raise AssertionError(f"no form of {self._speaker.subprotocol} for {kind}")
