"""The names of W3C's operations and affordances, spelled as in a Thing Description."""

from enum import StrEnum


class Operation(StrEnum):
    """What a consumer may ask of a Thing (TD 1.1 section 5.3.4.2, the values of `op`)."""

    READ_PROPERTY = "readproperty"
    WRITE_PROPERTY = "writeproperty"
    OBSERVE_PROPERTY = "observeproperty"
    UNOBSERVE_PROPERTY = "unobserveproperty"
    INVOKE_ACTION = "invokeaction"
    SUBSCRIBE_EVENT = "subscribeevent"
    UNSUBSCRIBE_EVENT = "unsubscribeevent"
    QUERY_ACTION = "queryaction"
    CANCEL_ACTION = "cancelaction"
    # Of a Thing as a whole:
    READ_ALL_PROPERTIES = "readallproperties"
    READ_MULTIPLE_PROPERTIES = "readmultipleproperties"
    WRITE_MULTIPLE_PROPERTIES = "writemultipleproperties"
    OBSERVE_ALL_PROPERTIES = "observeallproperties"
    UNOBSERVE_ALL_PROPERTIES = "unobserveallproperties"
    QUERY_ALL_ACTIONS = "queryallactions"
    SUBSCRIBE_ALL_EVENTS = "subscribeallevents"
    UNSUBSCRIBE_ALL_EVENTS = "unsubscribeallevents"


class AffordanceKind(StrEnum):
    """The three kinds of affordances; the values are the member names in a TD and in our paths."""

    PROPERTY = "properties"
    ACTION = "actions"
    EVENT = "events"

    @property
    def noun(self) -> str:
        """The kind in words, for messages."""
        return {"properties": "property", "actions": "action", "events": "event"}[self.value]
