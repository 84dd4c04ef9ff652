"""The forms of an affordance over MQTT (WoT Binding Templates: MQTT)."""

from typing import Any

from servient.bindings.mqtt.topics import READ, WRITE, Topics
from servient.mqtt.terms import (
    CONTROL_PACKET,
    FILTER,
    QOS,
    REQUEST,
    REQUEST_TOPIC,
    RETAIN,
    STATUS_TOPIC,
    TOPIC,
)
from servient.wot.content import JSON_MEDIA_TYPE
from servient.wot.description import Affordance, Form
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.schema import is_file, media_type_of

AT_LEAST_ONCE = "1"


class Forms:
    """Forms below the URL of a broker; consumers differ in whether they read the URL or the terms."""

    def __init__(self, origin: str, topics: Topics) -> None:
        self._origin = origin
        self._topics = topics

    def of(self, thing: str, affordance: Affordance) -> list[Form]:
        match affordance.kind:
            case AffordanceKind.PROPERTY:
                return self._property(thing, affordance)
            case AffordanceKind.ACTION:
                return self._action(self._topics.of(thing, affordance), affordance)
            case AffordanceKind.EVENT:
                operations = [Operation.SUBSCRIBE_EVENT, Operation.UNSUBSCRIBE_EVENT]
                return [self._subscription(thing, affordance, operations)]

    def _property(self, thing: str, affordance: Affordance) -> list[Form]:
        """An observable property's value is retained; others, or their absence, can be asked for."""
        topic, offered = self._topics.of(thing, affordance), affordance.operations
        forms = []
        if Operation.OBSERVE_PROPERTY in offered:
            wanted = (
                Operation.READ_PROPERTY,
                Operation.OBSERVE_PROPERTY,
                Operation.UNOBSERVE_PROPERTY,
            )
            retained = self._subscription(thing, affordance, [op for op in wanted if op in offered])
            forms.append({**retained, RETAIN: True})
        for suffix, operation in (
            (READ, Operation.READ_PROPERTY),
            (WRITE, Operation.WRITE_PROPERTY),
        ):
            if operation in offered:
                forms.append(self._request(f"{topic}/{suffix}", operation, affordance.media_type))
        return forms

    def _action(self, topic: str, affordance: Affordance) -> list[Form]:
        """JSON, and the only file of an input by itself, its media type as MQTT 5 Content Type."""
        schema = affordance.input.document if affordance.input else {}
        files = [schema] if is_file(schema) else []
        files += [s for s in schema.get("properties", {}).values() if is_file(s)]
        media_types = [JSON_MEDIA_TYPE]
        if len(files) == 1:
            media_types.append(media_type_of(files[0]))
        return [self._invocation(topic, media_type, affordance) for media_type in media_types]

    def _invocation(self, topic: str, media_type: str, affordance: Affordance) -> Form:
        form = self._request(topic, Operation.INVOKE_ACTION, media_type)
        if affordance.definition.get("output") and affordance.media_type != media_type:
            form["response"] = {"contentType": affordance.media_type}
        return form

    def _subscription(
        self, thing: str, affordance: Affordance, operations: list[Operation]
    ) -> Form:
        topic = self._topics.of(thing, affordance)
        return {
            **self._form(topic, [operation.value for operation in operations], "subscribe"),
            "contentType": affordance.media_type,
            FILTER: topic,
            STATUS_TOPIC: self._topics.of_thing(thing),
        }

    def _request(self, topic: str, operation: Operation, media_type: str) -> Form:
        return {
            **self._form(topic, operation.value, "publish"),
            "contentType": media_type,
            TOPIC: topic,
            REQUEST_TOPIC: f"{topic}/{REQUEST}",
        }

    def _form(self, topic: str, operations: Any, packet: str) -> Form:
        href = f"{self._origin}/{topic}"
        return {"href": href, "op": operations, CONTROL_PACKET: packet, QOS: AT_LEAST_ONCE}
