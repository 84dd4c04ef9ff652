"""Observation and subscription over HTTP: long polls and event streams, on one path."""

import asyncio
from collections.abc import Mapping

from servient.bindings.http.event_stream import EVENT_STREAM, EventStream
from servient.bindings.http.messages import Handler, Request, Response
from servient.bindings.http.polls import Poller, Polls
from servient.bindings.http.replays import Replays
from servient.bindings.http.subscribers import Subscribers
from servient.bindings.http.watch import ClientGone
from servient.errors import Busy, NotFound, ServientError, UnsupportedContent
from servient.wot.access import acting
from servient.wot.door import Interaction
from servient.wot.operations import Operation
from servient.wot.servient import Servient
from servient.wot.subscription import Notification, Subscription

OBSERVE = "observe"

_OF_ALL = {
    "properties": Operation.OBSERVE_ALL_PROPERTIES,
    "events": Operation.SUBSCRIBE_ALL_EVENTS,
}
_NO_STORE = (("Cache-Control", "no-store"),)


class Notifications:
    """Routes of `…/properties/{name}/observe` and `…/events/{name}`, and of all of them at once.

    A request that accepts text/event-stream gets a stream, any other the next notification's value.
    HEAD says at once whether there is something to wait for (node-wot asks before it polls), and
    what is published from then on is kept a few seconds for the poll to come.
    """

    def __init__(
        self,
        servient: Servient,
        subscribers: Subscribers,
        polls: Polls,
        replays: Replays,
        *,
        long_poll_seconds: float,
        heartbeat_seconds: float,
    ) -> None:
        self._servient = servient
        self._subscribers = subscribers
        self._polls = polls
        self._replays = replays
        self._long_poll_seconds = long_poll_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._handlers: Mapping[str, Handler] = {"GET": self._get, "HEAD": self._head}
        self._of_all: Mapping[str, Handler] = {"GET": self.stream_all}

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        match segments:
            case ("things", _, "events", _) | ("things", _, "properties", _, "observe"):
                return self._handlers
            case ("things", _, "events"):
                return self._of_all
        return None

    async def stream_all(self, request: Request) -> Response:
        """Everything of one kind in one stream; a poll could not tell what its answer is about."""
        if not wants_stream(request):
            raise UnsupportedContent(f"this is to be had as {EVENT_STREAM} only; say so in Accept")
        _, thing, kind = request.segments
        return self._stream(request, Interaction(_OF_ALL[kind], thing, ""))

    async def _head(self, request: Request) -> Response:
        subscription = self._subscribers.open(_interaction(request))
        if wants_stream(request):
            self._subscribers.close(subscription)
            return Response(200, media_type=EVENT_STREAM)
        self._polls.keep(_poller(request), subscription)
        return Response(200, headers=_NO_STORE)

    async def _get(self, request: Request) -> Response:
        interaction = _interaction(request)
        if wants_stream(request):
            return self._stream(request, interaction)
        return await self._poll(request, interaction)

    def _stream(self, request: Request, interaction: Interaction) -> Response:
        missed = self._replays.missed(interaction, _last_id(request))
        subscription = self._subscribers.open(interaction)
        stream = EventStream(
            request, self._subscribers, subscription, self._heartbeat_seconds, missed
        )
        return Response(200, stream, EVENT_STREAM, _NO_STORE)

    async def _poll(self, request: Request, interaction: Interaction) -> Response:
        poller = _poller(request)
        subscription = self._polls.take(poller) or self._subscribers.open(interaction)
        try:
            notification = await self._next(request, subscription)
        except BaseException:
            self._subscribers.close(subscription)
            raise
        self._polls.keep(poller, subscription)
        if notification is None:
            return Response(204, headers=_NO_STORE)
        content = notification.content
        return Response(200, content.body, content.media_type, _NO_STORE)

    async def _next(self, request: Request, subscription: Subscription) -> Notification | None:
        """The next notification, or None when the time is up.

        Raises ClientGone, NotFound when the Thing is destroyed, Busy when the servient stops.
        """
        with request.watch(subscription.close) as watch:
            try:
                async with asyncio.timeout(self._long_poll_seconds):
                    return await anext(subscription)
            except TimeoutError:
                return None
            except StopAsyncIteration:
                if watch.has_left:
                    raise ClientGone from None
                raise self._ended(request.segments[1]) from None

    def _ended(self, thing: str) -> ServientError:
        """Why the servient ended a subscription."""
        try:
            self._servient.exposed(thing)
        except NotFound as error:
            return error
        return Busy("the servient is stopping")


def _interaction(request: Request) -> Interaction:
    _, thing, kind, name, *_ = request.segments
    operation = Operation.SUBSCRIBE_EVENT if kind == "events" else Operation.OBSERVE_PROPERTY
    return Interaction(operation, thing, name)


def wants_stream(request: Request) -> bool:
    return EVENT_STREAM in (request.header("accept") or "")


def _last_id(request: Request) -> int | None:
    """The last notification that the client saw; None when it does not say so in our way."""
    text = request.header("last-event-id") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _poller(request: Request) -> Poller:
    return Poller(acting(), request.client, request.header("user-agent") or "", request.path)
