"""What a node runs: an application by its path, or a servient of ours with what it deploys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from emulation.errors import InvalidTopology


class BuiltinApps(StrEnum):
    """Applications that come with the emulator, by WoTemu's names."""

    CLOCK = "wotemu_clock"
    READER = "wotemu_reader"
    SUBSCRIBER = "wotemu_subscriber"
    CALLER = "wotemu_caller"
    WORKER = "wotemu_worker"
    ERROR = "wotemu_error"
    HISTORIAN = "wotemu_historian"
    MONGO_HISTORIAN = "wotemu_mongo_historian"
    CAMERA = "wotemu_camera"
    DETECTOR = "wotemu_detector"


@dataclass(frozen=True)
class ServientApp:
    """A servient of ours with what it deploys when it starts: manifests and bare modules.

    Each is a path (seen from the topology's file) or an http(s) URL: of a manifest in JSON, or of
    a module, whose name is the file's.
    """

    deploys: str | tuple[str, ...] | list[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the servient beside the addresses, by their names: `module_timeout_seconds`."""

    def __post_init__(self) -> None:
        deploys = (self.deploys,) if isinstance(self.deploys, str) else tuple(self.deploys)
        object.__setattr__(self, "deploys", tuple(str(item) for item in deploys))
        object.__setattr__(self, "settings", dict(self.settings))


@dataclass(frozen=True)
class NodeApp:
    """The application of a node, and the protocols over which it serves its Things.

    The path is a built-in application's, an http(s) URL or a local file's, which defines
    `async def app(wot, conf, loop, **params)`. With `servient`, the node is a servient of ours;
    an application beside it is optional.
    """

    path: str | None = None
    http: bool = False
    ws: bool = False
    mqtt: bool = False
    coap: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    servient: ServientApp | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", dict(self.params or {}))
        servient: Any = self.servient
        if isinstance(servient, (str, list, tuple)):
            object.__setattr__(self, "servient", ServientApp(servient))
        if self.path is None and self.servient is None:
            raise InvalidTopology("an app has a path or a servient")

    @property
    def protocols(self) -> tuple[str, ...]:
        """Those it serves, by the names of the servient's bindings."""
        chosen = {"http": self.http, "websocket": self.ws, "coap": self.coap, "mqtt": self.mqtt}
        return tuple(name for name, is_on in chosen.items() if is_on)

    @property
    def text_params(self) -> dict[str, str]:
        """The parameters as applications get them: all are texts."""
        return {str(name): str(value) for name, value in self.params.items()}
