"""Requests over MQTT: each is carried out through the door, and answered where it asks for it."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from servient.bindings.mqtt.askers import Askers
from servient.bindings.mqtt.intake import Intake
from servient.bindings.mqtt.messages import to_input, to_message, to_problem
from servient.bindings.mqtt.mirror import Mirror
from servient.bindings.mqtt.outbox import Outbox
from servient.bindings.mqtt.topics import Request, Topics
from servient.errors import Busy, NotFound, ServientError
from servient.mqtt.message import Message
from servient.wot.access import acting_as
from servient.wot.content import JSON_MEDIA_TYPE, Content, Value
from servient.wot.door import Door, Interaction
from servient.wot.handler import Later
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.servient import Servient
from servient.wot.tracing import TRACEPARENT, parse_traceparent

logger = logging.getLogger(__name__)

REQUESTS_LIMIT = 256
_STOPPING = "the servient is stopping"
_BROKER = "the MQTT broker"


@dataclass(frozen=True, slots=True)
class Route:
    """Where an answer goes: a client's topic, with MQTT 5, or below the request's."""

    output_topic: str
    problem_topic: str
    correlation: bytes | None
    qos: int


class Responder:
    """Serves at most `requests_limit` requests at once; `dropped` counts what nobody was told about.

    Further ones wait: what the broker has acknowledged to its sender is carried out.
    """

    def __init__(
        self,
        servient: Servient,
        topics: Topics,
        outbox: Outbox,
        mirror: Mirror,
        *,
        payload_limit_bytes: int,
        askers: Askers,
        requests_limit: int = REQUESTS_LIMIT,
    ) -> None:
        self._servient = servient
        self._door = Door(servient, "mqtt")
        self._topics = topics
        self._outbox = outbox
        self._mirror = mirror
        self._payload_limit_bytes = payload_limit_bytes
        self._requests_limit = requests_limit
        self._askers = askers
        self._intake = Intake(requests_limit)
        self.dropped = 0

    def accept(self, request: Request, message: Message) -> None:
        """Begin to serve a request. One whose answer could do harm is not carried out."""
        route = self._route(request, message)
        if route is None and (message.response_topic is not None or _is_only_asked(request)):
            logger.info("a request on %.200s has no topic for its answer", request.topic)
            self.dropped += 1
            message.acknowledge()
        elif not self._intake.put(message, partial(self._serve, request, message, route)):
            self._refuse(request, route, Busy(f"{self._requests_limit} requests are under way"))
            self.dropped += route is None
            message.acknowledge()

    async def stop(self) -> None:
        """Whoever waits is told that nothing will come; what was invoked goes on."""
        for message in await self._intake.stop():
            request = self._topics.parse(message.topic)
            if request is not None:
                self._refuse(request, self._route(request, message), Busy(_STOPPING))

    def _route(self, request: Request, message: Message) -> Route | None:
        qos = min(message.qos, 1)
        topic = message.response_topic
        if topic is not None:
            if not self._topics.takes_answers(topic):
                return None
            return Route(topic, topic, message.correlation, qos)
        if request.id is not None:
            return Route(request.output_topic, request.problem_topic, None, qos)
        return None

    def _serve(
        self, request: Request, message: Message, route: Route | None
    ) -> Coroutine[Any, Any, None] | None:
        """Answers what ends at once; else gives the rest of the work."""
        trace = TRACEPARENT.set(parse_traceparent(message.traceparent))
        try:
            content = self._input(request, message)
            wanted = Interaction(request.operation, request.thing, request.affordance, content)
            with acting_as(self._askers.of(request), _BROKER):
                value = self._door.begin(wanted)
            if type(value) is Later:
                return self._finish(request, message, route, value)
            self._answer(request, route, value)
        except ServientError as error:
            self._refuse(request, route, error)
        except Exception:  # a bug: whoever asked is told nothing of it but that there is one
            logger.exception("a request on %.200s failed", request.topic)
            self._refuse(request, route, ServientError("the servient failed"))
        finally:
            TRACEPARENT.reset(trace)
        return None

    async def _finish(
        self, request: Request, message: Message, route: Route | None, later: Later
    ) -> None:
        TRACEPARENT.set(parse_traceparent(message.traceparent))
        try:
            with acting_as(self._askers.of(request), _BROKER):
                value = await later.work
            self._answer(request, route, value)
        except ServientError as error:
            self._refuse(request, route, error)
        except asyncio.CancelledError:
            self._refuse(request, route, Busy(_STOPPING))
            raise
        except Exception:  # as above
            logger.exception("a request on %.200s failed", request.topic)
            self._refuse(request, route, ServientError("the servient failed"))

    def _answer(self, request: Request, route: Route | None, value: Value) -> None:
        """Raises TooLarge, and ServientError for what cannot be sent."""
        # Who has the answer finds what it changed retained.
        self._mirror.settle(request.thing)
        if route is not None:
            answer = to_message(
                route.output_topic,
                value,
                self._payload_limit_bytes,
                qos=route.qos,
                correlation=route.correlation,
            )
            self._outbox.put(answer)

    def _input(self, request: Request, message: Message) -> Content | None:
        if request.operation is Operation.READ_PROPERTY:
            return None
        return to_input(message, self._payload_limit_bytes, self._default_media_type(request))

    def _default_media_type(self, request: Request) -> str:
        """What the form of the request promises."""
        if request.operation is not Operation.WRITE_PROPERTY:
            return JSON_MEDIA_TYPE
        try:
            description = self._servient.exposed(request.thing).description
            return description.find(AffordanceKind.PROPERTY, request.affordance).media_type
        except NotFound:
            return JSON_MEDIA_TYPE

    def _refuse(self, request: Request, route: Route | None, error: ServientError) -> None:
        logger.debug("a request on %.200s was refused: %s", request.topic, error)
        if route is not None:
            self._outbox.put(
                to_problem(
                    route.problem_topic,
                    error,
                    request.topic,
                    qos=route.qos,
                    correlation=route.correlation,
                )
            )


def _is_only_asked(request: Request) -> bool:
    """Reading is pointless without an answer."""
    return request.operation is Operation.READ_PROPERTY
