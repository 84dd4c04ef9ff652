"""All namespaces that this host has, from their settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from servient.wasm.imports.camera import Camera
from servient.wasm.imports.communication import Communication
from servient.wasm.imports.dht import Dht
from servient.wasm.imports.host_function import Namespace
from servient.wasm.imports.network import Network
from servient.wasm.imports.nn.namespace import NeuralNetworks
from servient.wasm.imports.pictures import parse_picture_source
from servient.wasm.imports.sensors import parse_sensor_source
from servient.wasm.imports.system import System


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """What modules may reach through their host; by default nothing.

    `camera_source` and `sensor_source` are as `parse_picture_source` and `parse_sensor_source` take
    them, `rpc_targets` are URLs by name.
    """

    camera_source: str | None = None
    sensor_source: str | None = None
    rpc_targets: Mapping[str, str] = field(default_factory=dict)
    ping_networks: Sequence[IPv4Network] = ()


def build_namespaces(settings: ImportSettings) -> tuple[Namespace, ...]:
    """A namespace without its settings is offered too: its functions fail, saying what is missing."""
    camera, sensor = settings.camera_source, settings.sensor_source
    return (
        System(),
        Communication(settings.rpc_targets),
        Camera(parse_picture_source(camera) if camera else None),
        Dht(parse_sensor_source(sensor) if sensor else None),
        Network(settings.ping_networks),
        NeuralNetworks(),
    )
