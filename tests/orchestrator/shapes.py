"""The shapes that orchestrators insist on; a device that answers in another is of no use to them."""

from datetime import datetime
from typing import Any

LOG_MEMBERS = ("timestamp", "loglevel", "message", "funcName", "deviceName", "deviceIP")


def check_description(document: Any) -> None:
    """As the Rust orchestrator parses it: every member there and of its type."""
    platform = document["platform"]
    cpu = platform["cpu"]
    assert isinstance(cpu["clockSpeedHz"], int)
    assert isinstance(cpu["coreCount"], int)
    assert isinstance(cpu["architecture"], str)
    assert isinstance(cpu["humanReadableName"], str)
    assert platform["memory"]["bytes"] == platform["memory"]["totalBytes"] > 0
    assert isinstance(platform["storage"], dict)
    for interface in platform["network"].values():
        assert all(isinstance(address, str) for address in interface["ipInfo"])
        assert isinstance(interface["macAddress"], str)
    assert all(isinstance(platform["system"][n], str) for n in ("hostName", "kernel", "name", "os"))
    assert all(isinstance(name, str) for name in document["supervisorInterfaces"])


def check_health(document: Any) -> None:
    assert 0 <= document["cpuUsage"] <= 1
    assert 0 <= document["memoryUsage"] <= 1
    assert isinstance(document["storageUsage"], dict)
    assert document["uptime"] is not None
    for figures in document["networkUsage"].values():
        assert isinstance(figures["downBytes"], int)
        assert isinstance(figures["upBytes"], int)


def check_registration(document: Any) -> None:
    assert document["type"] == "_webthing._tcp.local."
    assert isinstance(document["name"], str)
    assert isinstance(document["port"], int)
    assert isinstance(document["host"], str)
    properties = document["properties"]
    assert properties["path"] == "/"
    assert properties["tls"] in ("0", "1")
    assert properties["address"] == document["addresses"][0]
    assert len(document["addresses"]) == 1


def check_log(record: Any) -> None:
    for member in LOG_MEMBERS:
        assert isinstance(record[member], str), (member, record)
    assert datetime.fromisoformat(record["timestamp"]).tzinfo is not None
