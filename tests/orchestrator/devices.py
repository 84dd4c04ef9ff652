"""The devices that an orchestrator knows, and how they are."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

CHECKS = 5  # that fail until a device is inactive, and that succeed until it is active again


@dataclass(slots=True)
class Device:
    """What was found out; `name`, address and port are those of its first discovery for ever."""

    name: str
    address: str
    port: int
    scheme: str = "http"
    description: dict[str, Any] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=dict)
    is_active: bool = True
    good: int = 0
    bad: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.address}:{self.port}"

    @property
    def interfaces(self) -> set[str]:
        """The names of imports that it offers."""
        return set(self.description["supervisorInterfaces"])

    def count(self, is_healthy: bool) -> bool:
        """Note one check; whether it made the device active or inactive."""
        self.good, self.bad = (self.good + 1, 0) if is_healthy else (0, self.bad + 1)
        changes = self.bad >= CHECKS if self.is_active else self.good >= CHECKS
        if changes:
            self.is_active = not self.is_active
        return changes


class Devices:
    """By name. A device that is known is never updated, however often it makes itself known."""

    def __init__(self) -> None:
        self._known: dict[str, Device] = {}

    def __iter__(self) -> Iterator[Device]:
        return iter(tuple(self._known.values()))

    def __len__(self) -> int:
        return len(self._known)

    def __getitem__(self, name: str) -> Device:
        return self._known[name]

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def add(self, device: Device) -> bool:
        """Whether it is a new one."""
        is_new = device.name not in self._known
        self._known.setdefault(device.name, device)
        return is_new

    def forget(self, name: str) -> None:
        self._known.pop(name, None)

    def active(self) -> list[Device]:
        return [device for device in self if device.is_active]

    def at(self, url: str) -> Device:
        return next(device for device in self if device.url == url)
