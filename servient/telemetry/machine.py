"""What machine this is and how it is doing, in the shapes that orchestrators read.

Real figures from psutil; the members' names are those of the wasmiot device description and health.
"""

import os
import platform
import socket
import time
from pathlib import Path
from types import ModuleType
from typing import Any


def _psutil() -> ModuleType:
    """Here, since importing it takes a twentieth of a servient's start, and not all are asked."""
    import psutil  # noqa: PLC0415

    return psutil


def describe_platform() -> dict[str, Any]:
    """Processor, memory (bytes), storage, network and operating system."""
    psutil = _psutil()
    return {
        "cpu": _cpu(),
        "memory": {
            "totalBytes": psutil.virtual_memory().total,
            "bytes": psutil.virtual_memory().total,
        },
        "storage": {},
        "network": _network(),
        "system": {
            "hostName": socket.gethostname(),
            "kernel": platform.release(),
            "name": platform.system(),
            "os": platform.platform(terse=True),
        },
    }


def _cpu() -> dict[str, Any]:
    frequency = _psutil().cpu_freq()
    return {
        "architecture": platform.machine(),
        "clockSpeedHz": int((frequency.max or frequency.current) * 1e6) if frequency else 0,
        "coreCount": os.cpu_count() or 1,
        "humanReadableName": _processor_name() or platform.machine(),
    }


def _processor_name() -> str:
    """As Linux names it: the processor, or on small computers the whole machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    known = {key.strip(): value.strip() for key, _, value in (li.partition(":") for li in lines)}
    return known.get("model name") or known.get("Model") or known.get("Hardware") or ""


def _network() -> dict[str, Any]:
    psutil = _psutil()
    return {
        name: {
            "ipInfo": [
                a.address for a in addresses if a.family in (socket.AF_INET, socket.AF_INET6)
            ],
            "macAddress": next((a.address for a in addresses if a.family == psutil.AF_LINK), ""),
        }
        for name, addresses in psutil.net_if_addrs().items()
    }


class Health:
    """How busy the machine is: shares between 0 and 1, uptime in seconds, bytes by interface."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._was_asked = False

    def __call__(self) -> dict[str, Any]:
        psutil = _psutil()
        return {
            "cpuUsage": self._cpu_usage(psutil),
            "memoryUsage": psutil.virtual_memory().percent / 100,
            "storageUsage": {},
            "uptime": time.monotonic() - self._started,
            "networkUsage": {
                name: {"downBytes": counters.bytes_recv, "upBytes": counters.bytes_sent}
                for name, counters in psutil.net_io_counters(pernic=True).items()
            },
        }

    def _cpu_usage(self, psutil: ModuleType) -> float:
        """Since the last time; the first call only starts that measurement."""
        percent: float = psutil.cpu_percent()
        if self._was_asked:
            return percent / 100
        self._was_asked = True
        return min(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
