"""One of those that are compared: a running process, and what can be asked of it over which wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from benchmarks.load.targets import Target
from benchmarks.peers.process import Process


class Wire(StrEnum):
    HTTP = "http"
    COAP = "coap"
    WEBSOCKET = "ws"
    MQTT = "mqtt"


class Operation(StrEnum):
    INVOKE = "invoke"
    READ = "read"
    ORCHESTRATOR = "orchestrator"


Case: TypeAlias = tuple[Wire, Operation]


@dataclass(frozen=True, slots=True)
class Contender:
    """`title` says what it is in a table."""

    name: str
    title: str
    process: Process
    targets: Mapping[Case, Target]
