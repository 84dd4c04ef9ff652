"""The scheme of topics: the paths of `servient.bindings.paths` below a prefix."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

from servient.bindings.paths import THINGS, affordance_path, thing_path
from servient.mqtt.terms import OUTPUT, PROBLEM
from servient.wot.description import Affordance
from servient.wot.operations import AffordanceKind, Operation

STATUS, READ, WRITE = "status", "read", "write"
# Where clients with a name have their answers, each below its own name: nobody else may read there.
ANSWERS = "answers"
RESPONSE_TOPIC_LIMIT_BYTES = 1024
RESPONSE_TOPIC_LEVELS = 64
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What a broker refuses, or ends the connection over (MQTT 5 sections 1.5.4 and 4.7), and what it keeps
# for itself ($SYS).
_UNUSABLE = re.compile(r"^$|^\$|[+#\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

# Of so many topics it is known what they mean; longer ones are looked at each time.
_KNOWN_TOPICS = 1024
_KNOWN_CHARACTERS = 256

_VERBS = {WRITE: Operation.WRITE_PROPERTY, READ: Operation.READ_PROPERTY}


@dataclass(frozen=True, slots=True)
class Request:
    """What a topic asks for. `id` is there when the answer belongs below the topic."""

    operation: Operation
    thing: str
    affordance: str
    topic: str
    id: str | None = None

    @property
    def output_topic(self) -> str:
        return f"{self.topic}/{OUTPUT}"

    @property
    def problem_topic(self) -> str:
        return f"{self.topic}/{PROBLEM}"


class Topics:
    """Topics are percent-encoded like paths, so that a URL can carry them as they are.

    `is_guarded` says that each client may read its own topics alone: then answers go there only.
    """

    def __init__(self, prefix: str, *, is_guarded: bool = False) -> None:
        self._is_guarded = is_guarded
        levels = prefix.strip("/").split("/")
        if not all(levels):
            raise ValueError(f"{prefix!r} is no prefix for topics")
        self.prefix = "/".join(quote(level, safe=":") for level in levels)
        self.status = f"{self.prefix}/{STATUS}"
        self._things = f"{self.prefix}/{THINGS}/"
        everything = self._things + "+/"
        # A constant number of subscriptions, however many Things there are.
        self.request_filters = (
            everything + f"{AffordanceKind.ACTION}/+",
            everything + f"{AffordanceKind.ACTION}/+/+",
            everything + f"{AffordanceKind.PROPERTY}/+/{WRITE}",
            everything + f"{AffordanceKind.PROPERTY}/+/{WRITE}/+",
            everything + f"{AffordanceKind.PROPERTY}/+/{READ}",
            everything + f"{AffordanceKind.PROPERTY}/+/{READ}/+",
        )
        # Clients ask for the same again and again.
        self._known_requests = lru_cache(_KNOWN_TOPICS)(self._parse)
        self._known_answers = lru_cache(_KNOWN_TOPICS)(self._takes_answers)
        # Where messages are retained.
        self.state_filters = (everything + STATUS, everything + f"{AffordanceKind.PROPERTY}/+")

    def of_thing(self, thing: str) -> str:
        """Its status."""
        return f"{self.prefix}{thing_path(thing)}/{STATUS}"

    def of(self, thing: str, affordance: Affordance) -> str:
        return self.prefix + affordance_path(thing, affordance)

    def parse(self, topic: str) -> Request | None:
        """What a message on this topic asks for; None when it asks for nothing."""
        is_long = len(topic) > _KNOWN_CHARACTERS
        return self._parse(topic) if is_long else self._known_requests(topic)

    def _parse(self, topic: str) -> Request | None:
        if not topic.startswith(self._things):
            return None
        match topic[len(self._things) :].split("/"):
            case [thing, AffordanceKind.ACTION, name, *tail]:
                operation = Operation.INVOKE_ACTION
            case [thing, AffordanceKind.PROPERTY, name, verb, *tail] if verb in _VERBS:
                operation = _VERBS[verb]
            case _:
                return None
        if len(tail) > 1 or (tail and not REQUEST_ID.fullmatch(tail[0])):
            return None
        return Request(operation, unquote(thing), unquote(name), topic, tail[0] if tail else None)

    def takes_answers(self, topic: str) -> bool:
        """Whether a client may have its answer there.

        Not below our prefix, where it could be a request to ourselves and so without end, nor where
        the broker would end our connection for it.
        """
        is_long = len(topic) > _KNOWN_CHARACTERS
        return self._takes_answers(topic) if is_long else self._known_answers(topic)

    def _takes_answers(self, topic: str) -> bool:
        return not (
            (self._is_guarded and not topic.startswith(f"{ANSWERS}/"))
            or topic.startswith(f"{self.prefix}/")
            or topic == self.prefix
            or len(topic.encode(errors="replace")) > RESPONSE_TOPIC_LIMIT_BYTES
            or topic.count("/") >= RESPONSE_TOPIC_LEVELS
            or _UNUSABLE.search(topic)
        )
