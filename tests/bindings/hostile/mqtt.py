"""MQTT: requests on every topic that there could be, with any payload and content type."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from hypothesis import strategies as st

from servient.app import App
from tests.bindings.hostile.driver import ANSWER_SECONDS, Answer
from tests.bindings.hostile.strategies import AIMS, BODIES, THINGS, WORDS, Aim, Body, to_path
from tests.consumers.paho import Messages, PahoClient

ANSWERS = "answers/hostile"
_ASKING = st.one_of(
    st.builds(to_path, st.just("things"), THINGS, st.just("actions"), WORDS),
    st.builds(
        to_path,
        st.just("things"),
        THINGS,
        st.just("properties"),
        WORDS,
        st.sampled_from(["read", "write"]),
    ),
)
_OTHER = st.builds(to_path, st.just("things"), THINGS, WORDS, WORDS) | st.builds(
    to_path, st.just("things"), THINGS, st.just("actions"), WORDS, WORDS
)


@dataclass(frozen=True, slots=True)
class MqttCase:
    """`is_asking` says that there must be an answer."""

    path: str
    is_asking: bool
    body: Body
    qos: int


def _aimed(aim: Aim, thing: str, way: tuple[str, ...], qos: int) -> MqttCase:
    kind, *verb = way
    return MqttCase(to_path("things", thing, kind, aim.name, *verb), True, aim.body, qos)


_WAYS = st.sampled_from([("actions",), ("properties", "write"), ("properties", "read")])
_AIMED = st.builds(_aimed, AIMS, THINGS, _WAYS, st.integers(0, 2))


class MqttDriver:
    cases: st.SearchStrategy[MqttCase] = (
        _AIMED
        | _AIMED
        | st.builds(MqttCase, _ASKING, st.just(True), BODIES, st.integers(0, 2))
        | st.builds(MqttCase, _OTHER, st.just(False), BODIES, st.integers(0, 2))
    )
    allowed: frozenset[int] = frozenset()

    def __init__(self, app: App) -> None:
        assert app.broker is not None
        self._prefix = app.config.topic_prefix
        self._client = PahoClient(app.broker.host, app.broker.port)
        self._numbers = itertools.count()
        self._stack = contextlib.AsyncExitStack()
        self._answers: Messages

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._client)
        self._answers = await self._stack.enter_async_context(self._client.listening(ANSWERS))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def send(self, case: MqttCase) -> Sequence[Answer]:
        mark = b"%d" % next(self._numbers)
        properties: dict[str, Any] = {"ResponseTopic": ANSWERS, "CorrelationData": mark}
        if case.body.media_type:
            properties["ContentType"] = case.body.media_type
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._client.publish(
                self._prefix + case.path, case.body.data, qos=case.qos, **properties
            )
            if not case.is_asking:
                return []
            while (answer := await self._answers.get()).correlation != mark:
                pass
        if answer.content_type != "application/problem+json":
            return [Answer(200, "")]
        problem = json.loads(answer.payload)
        return [Answer(problem["status"], json.dumps(problem)[:300])]
