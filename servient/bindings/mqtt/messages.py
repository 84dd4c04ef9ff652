"""Values and refusals as MQTT messages, and messages as inputs."""

import re

from servient.errors import PROBLEM_MEDIA_TYPE, ServientError, TooLarge, problem
from servient.mqtt.message import Message
from servient.wot.content import JSON_MEDIA_TYPE, Content, Value, encode, to_json

# What may stand in a Content Type without a broker objecting (RFC 9110 section 8.3.1, and parameters).
_MEDIA_TYPE = re.compile(r"[\x20-\x7e]{1,255}")


def to_message(
    topic: str,
    value: Value,
    payload_limit_bytes: int,
    *,
    is_retained: bool = False,
    qos: int = 1,
    correlation: bytes | None = None,
) -> Message:
    """A plain value; no value is an empty message. Raises TooLarge, and ServientError for NaN."""
    content = Content(b"") if value is None else encode(value)
    if len(content.body) > payload_limit_bytes:
        raise TooLarge(f"{len(content.body)} bytes are more than this binding sends")
    media_type: str | None = content.media_type
    is_sayable = media_type is JSON_MEDIA_TYPE or _MEDIA_TYPE.fullmatch(content.media_type)
    if not is_sayable or not content.body:
        media_type = None
    return Message(topic, content.body, qos, is_retained, media_type, correlation=correlation)


def to_problem(
    topic: str, error: ServientError, instance: str, *, qos: int, correlation: bytes | None
) -> Message:
    body = to_json(problem(error, instance))
    return Message(topic, body, qos, False, PROBLEM_MEDIA_TYPE, correlation=correlation)


def to_input(message: Message, payload_limit_bytes: int, default_media_type: str) -> Content:
    """Raises TooLarge. MQTT 3.1.1 has no Content Type: what the form says holds."""
    if len(message.payload) > payload_limit_bytes:
        raise TooLarge(f"{len(message.payload)} bytes are more than this binding takes")
    media_type = message.content_type or default_media_type or JSON_MEDIA_TYPE
    return Content(message.payload, media_type)
