"""WebSockets: messages of either dialect with anything in them, and frames that are none."""

import asyncio
import itertools
import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any, ClassVar, Self

from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from servient.app import App
from tests.bindings.hostile.driver import ANSWER_SECONDS, Answer
from tests.bindings.hostile.sponge import ID, THING
from tests.bindings.hostile.strategies import AIMS, BODIES, JSON, WORDS, mostly

PROTOCOL_ERRORS = {1002, 1003, 1007, 1009}
_SAID = JSON
_ANY = WORDS | JSON

_WEB_THING_OPERATIONS = [
    "readproperty", "writeproperty", "observeproperty", "unobserveproperty", "invokeaction",
    "queryaction", "cancelaction", "subscribeevent", "unsubscribeevent", "readallproperties",
    "readmultipleproperties", "writemultipleproperties", "writeallproperties",
    "observeallproperties", "unobserveallproperties", "subscribeallevents",
    "unsubscribeallevents", "queryallactions",
]  # fmt: skip
_WEB_THING = st.fixed_dictionaries(
    {
        "thingID": st.just(ID) | _ANY,
        "messageID": st.text(min_size=1, max_size=20) | _ANY,
        "messageType": st.just("request") | st.just("request") | _ANY,
        "operation": st.sampled_from(_WEB_THING_OPERATIONS) | _ANY,
    },
    optional={
        "name": WORDS | _ANY,
        "input": _SAID,
        "value": _SAID,
        "values": st.dictionaries(WORDS, _SAID, max_size=3) | _ANY,
        "names": st.lists(WORDS, max_size=4) | _ANY,
        "actionID": WORDS | _ANY,
        "correlationID": _ANY,
    },
)
_METHODS = [
    "read_property", "write_property", "invoke_action", "on_property_change", "on_event",
    "on_td_change", "dispose",
]  # fmt: skip
_JSON_RPC = st.fixed_dictionaries(
    {
        "jsonrpc": st.just("2.0") | st.just("2.0") | _ANY,
        "method": st.sampled_from(_METHODS) | _ANY,
        "params": st.fixed_dictionaries(
            {},
            optional={
                "name": WORDS | _ANY,
                "value": _SAID,
                "parameters": _SAID,
                "subscription": _ANY,
            },
        )
        | _ANY,
    },
    optional={"id": st.integers() | st.text(max_size=9) | _ANY},
)


_WEB_THING_AIMED = st.builds(
    lambda aim, operation: {
        "thingID": ID,
        "messageID": "m",
        "messageType": "request",
        "operation": operation,
        "name": aim.name,
        "value": aim.value,
        "input": aim.value,
    },
    AIMS,
    mostly(
        st.sampled_from(["invokeaction", "writeproperty"]), st.sampled_from(_WEB_THING_OPERATIONS)
    ),
)
_JSON_RPC_AIMED = st.builds(
    lambda aim, method: {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {"name": aim.name, "value": aim.value, "parameters": aim.value},
    },
    AIMS,
    mostly(st.sampled_from(["invoke_action", "write_property"]), st.sampled_from(_METHODS)),
)


def _messages(envelopes: st.SearchStrategy[Any]) -> st.SearchStrategy[str | bytes]:
    return st.one_of(
        envelopes.map(json.dumps),
        envelopes.map(json.dumps),
        JSON.map(json.dumps),
        st.text(max_size=200),
        BODIES.map(lambda body: body.data),
    )


class _WebSocketDriver:
    """Follows each message with one that is fine, and reads on until that is answered."""

    subprotocols: ClassVar[list[Subprotocol] | None]
    allowed: frozenset[int] = frozenset()

    def __init__(self, app: App) -> None:
        self._url = f"{app.addresses()['websocket']}/things/{THING}"
        self._numbers = itertools.count()
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def send(self, case: str | bytes) -> Sequence[Answer]:
        if self._socket is None:
            self._socket = await connect(self._url, subprotocols=self.subprotocols)
        mark = f"mark {next(self._numbers)}"
        answers: list[Answer] = []
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._socket.send(case)
                await self._socket.send(json.dumps(self.marked(mark)))
                while True:
                    message = json.loads(await self._socket.recv())
                    if self.is_marked(message, mark):
                        return answers
                    answers.append(_to_answer(message))
        except ConnectionClosed as closed:
            self._socket = None
            code = closed.rcvd.code if closed.rcvd else 1006
            return [*answers, Answer(400 if code in PROTOCOL_ERRORS else 500, str(closed))]

    def marked(self, mark: str) -> dict[str, Any]:
        raise NotImplementedError

    def is_marked(self, message: Any, mark: str) -> bool:
        raise NotImplementedError


def _to_answer(message: Any) -> Answer:
    error = message.get("error")
    problem = error.get("data", error) if isinstance(error, dict) else {}
    status = problem.get("status", 200) if isinstance(problem, dict) else 200
    return Answer(status, json.dumps(message)[:300])


class WebThingDriver(_WebSocketDriver):
    cases: st.SearchStrategy[str | bytes] = mostly(
        _WEB_THING_AIMED.map(json.dumps), _messages(_WEB_THING_AIMED) | _messages(_WEB_THING)
    )
    subprotocols: ClassVar[list[Subprotocol] | None] = [Subprotocol("webthingprotocol")]

    def marked(self, mark: str) -> dict[str, Any]:
        return {
            "thingID": ID,
            "messageID": mark,
            "messageType": "request",
            "operation": "readproperty",
            "name": "number",
        }

    def is_marked(self, message: Any, mark: str) -> bool:
        return bool(message.get("correlationID") == mark)


class JsonRpcDriver(_WebSocketDriver):
    cases: st.SearchStrategy[str | bytes] = mostly(
        _JSON_RPC_AIMED.map(json.dumps), _messages(_JSON_RPC_AIMED) | _messages(_JSON_RPC)
    )
    subprotocols: ClassVar[list[Subprotocol] | None] = None

    def marked(self, mark: str) -> dict[str, Any]:
        params = {"name": "number"}
        return {"jsonrpc": "2.0", "id": mark, "method": "read_property", "params": params}

    def is_marked(self, message: Any, mark: str) -> bool:
        return bool(message.get("id") == mark)
