"""The MQTT broker, a private one or somebody else's."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from servient.config.section import Section


class BrokerSettings(Section):
    """Which broker, and under which topics."""

    mqtt_broker: str | None = Field(
        None,
        description="The MQTT broker as mqtt://[user:password@]host[:port]; by default a private one.",
    )
    mqtt_port: int = Field(
        1883, ge=0, le=65535, description="The private broker's TCP port; another if that is taken."
    )
    embedded_broker: Literal["mosquitto", "amqtt"] | None = Field(
        None,
        description="The private broker's program; by default mosquitto where it is installed.",
    )
    mqtt_prefix: str | None = Field(
        None,
        pattern=r"^[^+#\x00-\x1f]+$",
        max_length=256,
        description="What topics begin with; by default wasm-servient/<name>.",
    )

    @field_validator("mqtt_broker")
    @classmethod
    def _is_broker(cls, value: str | None) -> str | None:
        if value is not None:
            url = urlsplit(value)
            if url.scheme != "mqtt" or not url.hostname or url.path not in ("", "/"):
                raise ValueError("a broker is given as mqtt://[user:password@]host[:port]")
        return value
