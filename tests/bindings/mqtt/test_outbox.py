"""What waits for a connection, and what does not get lost with one."""

from typing import cast

from servient.bindings.mqtt.outbox import Outbox
from servient.mqtt.connection import Connection, Done
from servient.mqtt.errors import BrokerRefused, ConnectionLost, MqttError
from servient.mqtt.message import Message


class Wire:
    """A connection on which a test acknowledges."""

    def __init__(self, window: int = 100) -> None:
        self.window = window
        self.sent: list[tuple[Message, Done]] = []

    def publish(self, message: Message, done: Done, *, can_wait: bool = False) -> None:
        self.sent.append((message, done))

    def finish(self, index: int, error: MqttError | None = None) -> None:
        message, done = self.sent[index]
        done(message, error)

    def payloads(self) -> list[bytes]:
        return [message.payload for message, _ in self.sent]


def attach(outbox: Outbox, wire: Wire) -> None:
    outbox.attach(cast(Connection, wire))


def event(number: int) -> Message:
    return Message("e", b"%d" % number)


def state(topic: str, payload: bytes) -> Message:
    return Message(topic, payload, is_retained=True)


async def test_of_a_state_the_latest_waits_in_order() -> None:
    outbox, wire = Outbox(), Wire()
    outbox.put(state("a", b"1"))
    outbox.put(event(1))
    outbox.put(state("b", b"2"))
    outbox.put(state("a", b"3"))
    outbox.put(event(2))
    attach(outbox, wire)
    assert wire.payloads() == [b"1", b"2", b"3", b"2"]
    assert outbox.dropped == 0


async def test_of_the_rest_the_newest_wait() -> None:
    outbox, wire = Outbox(waiting_limit=3, waiting_limit_bytes=100), Wire()
    outbox.put(state("a", b"state"))
    for number in range(10):
        outbox.put(event(number))
    outbox.put(Message("e", b"x" * 99))
    attach(outbox, wire)
    assert wire.payloads() == [b"state", b"9", b"x" * 99]
    assert outbox.dropped == 9


async def test_only_so_much_is_under_way_and_newer_states_replace_what_waits() -> None:
    outbox, wire = Outbox(), Wire(window=1)
    attach(outbox, wire)
    for number in range(10):
        outbox.put(state("a", b"%d" % number))
    assert wire.payloads() == [b"0"]
    wire.finish(0)
    assert wire.payloads() == [b"0", b"9"]


async def test_what_was_not_acknowledged_goes_out_again() -> None:
    outbox, first, second = Outbox(), Wire(window=4), Wire()
    attach(outbox, first)
    outbox.put(event(1))
    outbox.put(state("a", b"old"))
    outbox.put(state("b", b"kept"))
    outbox.put(Message("e", b"at most once", qos=0))
    outbox.put(event(2))
    first.finish(0)
    outbox.put(state("a", b"new"))
    for index in range(1, len(first.sent)):
        first.finish(index, ConnectionLost("pulled"))
    outbox.detach()
    assert not await outbox.drained(0.01)
    attach(outbox, second)
    assert second.payloads() == [b"kept", b"2", b"new"]
    for index in range(len(second.sent)):
        second.finish(index)
    assert await outbox.drained(5)
    assert len(outbox) == 0


async def test_what_the_broker_refuses_is_given_up() -> None:
    outbox, wire = Outbox(), Wire()
    attach(outbox, wire)
    outbox.put(event(1))
    wire.finish(0, BrokerRefused("too large"))
    assert await outbox.drained(5)
    assert outbox.dropped == 1


async def test_topics_to_be_cleared_do_not_pile_up() -> None:
    outbox, wire = Outbox(waiting_limit=3), Wire()
    outbox.put(state("a", b"1"))
    for number in range(10_000):
        outbox.put(state(f"gone-{number}", b"1"))
        outbox.put(state(f"gone-{number}", b""))
    assert len(outbox) == 4
    assert outbox.has_lost_clears
    outbox.put(state("gone-9998", b"there again"))
    outbox.put(state("gone-1", b""))
    attach(outbox, wire)
    sent = [(message.topic, message.payload) for message, _ in wire.sent]
    assert sent == [
        ("a", b"1"),
        ("gone-9997", b""),
        ("gone-9999", b""),
        ("gone-9998", b"there again"),
        ("gone-1", b""),
    ]
    for index in range(len(wire.sent)):
        wire.finish(index)
    assert len(outbox) == 0
