"""Notifications as Server-Sent Events (WHATWG HTML section 9.2; WoT Profile, HTTP SSE)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from servient.bindings.http.messages import Request
from servient.bindings.http.subscribers import Subscribers
from servient.wot.content import Content, to_json
from servient.wot.subscription import Notification, Subscription

EVENT_STREAM = "text/event-stream"
_HEARTBEAT = b":\n\n"


class EventStream:
    """The body of an answer that ends with the subscription, or when the client goes.

    `missed` come first. A comment line now and then keeps intermediaries from closing it.
    """

    def __init__(
        self,
        request: Request,
        subscribers: Subscribers,
        subscription: Subscription,
        heartbeat_seconds: float,
        missed: Sequence[Notification] = (),
    ) -> None:
        self._request = request
        self._subscribers = subscribers
        self._subscription = subscription
        self._heartbeat_seconds = heartbeat_seconds
        self._missed = missed
        self._events = self._run()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._events

    async def _run(self) -> AsyncGenerator[bytes, None]:
        with self._request.watch(self._subscription.close):
            for notification in self._missed:
                yield to_event(notification)
            while True:
                try:
                    async with asyncio.timeout(self._heartbeat_seconds):
                        notification = await anext(self._subscription)
                except TimeoutError:
                    yield _HEARTBEAT
                except StopAsyncIteration:
                    return
                else:
                    yield to_event(notification)

    async def aclose(self) -> None:
        await self._events.aclose()
        self._subscribers.close(self._subscription)


def to_event(notification: Notification) -> bytes:
    """One message: the affordance's name, the notification's id, its value as JSON."""
    data = to_data(notification).replace(b"\r", b"\n").replace(b"\n", b"\ndata: ")
    return b"event: %b\nid: %d\ndata: %b\n\n" % (
        notification.name.encode(),
        notification.id,
        data,
    )


def to_data(notification: Notification) -> bytes:
    """The value as JSON: text is all that this stream carries, so a file becomes base64."""
    if isinstance(notification.value, Content) and not notification.value.is_json:
        return to_json(notification.value)
    return notification.content.body
