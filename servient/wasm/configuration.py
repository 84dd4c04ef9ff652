"""The one configuration of the engine, the same wherever code is compiled or run."""

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

import wasmtime

# Whatever changes what compiled code looks like stands here: it is part of the cache's keys.
_SETTINGS = "epochs"

# How the bytes of a component begin, where those of a core module have another version.
COMPONENT_PREAMBLE = b"\0asm\x0d\0\1\0"


def native_engine() -> wasmtime.Engine:
    """Fixed, since a configuration that the engine does not support aborts the process."""
    config = wasmtime.Config()
    config.epoch_interruption = True
    return wasmtime.Engine(config)


def fingerprint() -> str:
    """What compiled code depends on besides its source: engine, settings, processor."""
    parts = (version("wasmtime"), _SETTINGS, platform.machine(), _processor_features())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _processor_features() -> str:
    """Code for one processor may use instructions that another of its kind lacks."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return platform.processor()
    lines = [line for line in text.splitlines() if line.lower().startswith(("flags", "features"))]
    return lines[0].partition(":")[2].strip() if lines else ""
