"""What travels over an MQTT connection, and where its broker is."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Broker:
    """The address of a broker, and who we are to it."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"the MQTT broker at {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Message:
    """An application message, coming in or going out.

    `is_retained` of one that comes in says that it is what the broker kept from earlier. The last
    three are properties of MQTT 5 and never there in 3.1.1.
    """

    topic: str
    payload: bytes = b""
    qos: int = 1
    is_retained: bool = False
    content_type: str | None = None
    response_topic: str | None = None
    correlation: bytes | None = None
