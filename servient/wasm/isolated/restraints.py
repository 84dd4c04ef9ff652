"""What the kernel keeps a module's process from, whatever runs in it."""

import ctypes
import math
import os
import resource
import signal

from servient.wasm.types import Limits

# <linux/prctl.h>
_SET_PDEATHSIG = 1
_SET_NO_NEW_PRIVS = 38

# What Python, the engine, a camera's library and their threads take beside what is counted below.
OWN_DATA_BYTES = 768 * 2**20
FILES_LIMIT = 256
NICENESS = 5
# Above a call's deadline, which the engine keeps and then the servient: this is for when both fail.
CPU_GRACE_SECONDS = 10


def die_with_parent() -> None:
    """Be killed when the servient ends, however it ends, and never gain rights by a program."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    for option, value in ((_SET_PDEATHSIG, signal.SIGKILL), (_SET_NO_NEW_PRIVS, 1)):
        if prctl(option, value, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")


def restrain(limits: Limits) -> None:
    """Bound memory and descriptors.

    Not the address space, of which the engine reserves gigabytes for each memory without using
    them; and not the size of files, since what a guest prints is written at an ever growing offset.
    """
    data_bytes = OWN_DATA_BYTES + limits.memory_bytes + 2 * limits.output_bytes
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, data_bytes),
        (resource.RLIMIT_NOFILE, FILES_LIMIT),
    ):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    os.nice(NICENESS)


def allow_seconds(seconds: float) -> None:
    """Bound the processor's time from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(used.ru_utime + used.ru_stime + seconds) + CPU_GRACE_SECONDS
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or until < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (until, hard))
