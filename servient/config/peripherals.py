"""What modules may reach beyond themselves."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from servient.config.section import Listed, Section, also


class PeripheralSettings(Section):
    """The camera, the sensors and the other machines that their host imports lead to."""

    camera_source: str | None = Field(
        None,
        description="Where modules get pictures from: the number or path of a camera's device, the path"
        " of a picture or of a folder of pictures, or test-picture.",
        validation_alias=also("camera_source", "DEFAULT_CAMERA_DEVICE"),
    )
    sensor_source: str | None = Field(
        None,
        description="Where modules get temperature and humidity from: two numbers, the path of a file"
        " that holds them, or a sensor and its pin such as dht22:D4.",
    )
    rpc_targets: Mapping[str, str] = Field(
        {}, description="URLs that modules may post data to, by the names that they use; JSON."
    )
    ping_networks: Listed[IPv4Network] = Field(
        (), description="The networks in which modules may measure how far machines are away."
    )

    @field_validator("rpc_targets")
    @classmethod
    def _are_targets(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name, target in value.items():
            url = urlsplit(target)
            if url.scheme not in ("http", "https") or not url.hostname:
                raise ValueError(f"the target {name!r} is given as http[s]://host[:port]/path")
        return value
