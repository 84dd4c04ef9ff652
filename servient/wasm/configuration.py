"""The one configuration of the engine, the same wherever code is compiled or run."""

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

import wasmtime
from wasmtime import _ffi as ffi

from servient.wasm.types import Limits

# Whatever changes what compiled code looks like stands here: it is part of the cache's keys.
_SETTINGS = "epochs, no threads"

TABLES_LIMIT = 4
# How deep guests may call; the threads that they run on have room for more (see `threads`).
WASM_STACK_BYTES = 512 * 2**10

# How the bytes of a component begin, where those of a core module have another version.
COMPONENT_PREAMBLE = b"\0asm\x0d\0\1\0"


# Instances that a pooling engine has room for; each takes 4 GiB of addresses, and no memory.
POOL_SLOTS = 32
# Memory of a slot that is cleared rather than given back, since getting it anew costs more.
KEEP_RESIDENT_BYTES = 64 * 2**10


def native_engine() -> wasmtime.Engine:
    """Fixed, since a configuration that the engine does not support aborts the process.

    Who wants `faulthandler` enables it before the first engine is made: in the other order, it takes
    what the engine recovers from, a guest's reach outside its memory, for the end of the process.
    """
    return wasmtime.Engine(_config())


def pooling_engine(limits: Limits) -> wasmtime.Engine:
    """The same for code, but instances are put into slots that are there already."""
    config = _config()
    pool = ffi.wasmtime_pooling_allocation_config_new()
    ffi.wasmtime_pooling_allocation_config_total_core_instances_set(pool, POOL_SLOTS)
    ffi.wasmtime_pooling_allocation_config_total_memories_set(pool, POOL_SLOTS)
    ffi.wasmtime_pooling_allocation_config_total_tables_set(pool, POOL_SLOTS * TABLES_LIMIT)
    ffi.wasmtime_pooling_allocation_config_max_tables_per_module_set(pool, TABLES_LIMIT)
    ffi.wasmtime_pooling_allocation_config_table_elements_set(pool, limits.table_elements)
    ffi.wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(
        pool, KEEP_RESIDENT_BYTES
    )
    ffi.wasmtime_pooling_allocation_strategy_set(config.ptr(), pool)
    ffi.wasmtime_pooling_allocation_config_delete(pool)
    return wasmtime.Engine(config)


def _config() -> wasmtime.Config:
    config = wasmtime.Config()
    config.epoch_interruption = True
    config.max_wasm_stack = WASM_STACK_BYTES
    # A shared memory is outside the limits of a store. Refused when it is compiled, not when it starts.
    config.wasm_threads = False
    return config


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
