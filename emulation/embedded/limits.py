"""What a replica may use of the processor and of memory, by what the machine offers for that."""

import os
import resource
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emulation.topology.node import Node, NodeResources
from emulation.topology.services import Broker

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# As Linux' own quotas have it.
PERIOD_SECONDS = 0.1
# A limit that is watched over is checked so often; one of the kernel's stands behind it.
MEMORY_MARGIN = 2


class Holds(Protocol):
    """Keeps replicas within their limits."""

    words: str

    def enter(self, name: str, limits: NodeResources) -> None:
        """Called in the replica's process before anything else."""

    def tend(self, processes: dict[str, tuple[int, NodeResources]]) -> None:
        """Called once per period with the running replicas."""

    def close(self) -> None:
        """Leave nothing behind."""


def limits_of(kind: Node | Broker) -> NodeResources | None:
    """What a replica may use, if that is limited."""
    resources = kind.resources if isinstance(kind, Node) else None
    if resources is None or not (resources.memory_bytes or resources.cpu_cores):
        return None
    return resources


class Groups:
    """Control groups below our own, version 2 (cgroups(7)): one for each replica with limits."""

    words = "processor and memory limits are those of control groups"

    def __init__(self, parent: Path) -> None:
        self._folder = parent / f"wasm-servient-{os.getpid()}-{time.time_ns()}"
        self._folder.mkdir()
        self._made: list[Path] = []
        try:
            (self._folder / "cgroup.subtree_control").write_text("+cpu +memory")
        except OSError:
            self.close()
            raise

    def enter(self, name: str, limits: NodeResources) -> None:
        group = self._folder / name
        group.mkdir(exist_ok=True)
        if limits.memory_bytes:
            (group / "memory.max").write_text(str(limits.memory_bytes))
            with suppress(OSError):
                (group / "memory.swap.max").write_text("0")
        if limits.cpu_cores:
            period = int(PERIOD_SECONDS * 1e6)
            (group / "cpu.max").write_text(f"{int(limits.cpu_cores * period)} {period}")
        (group / "cgroup.procs").write_text("0")

    def tend(self, processes: dict[str, tuple[int, NodeResources]]) -> None:
        """The kernel does."""

    def close(self) -> None:
        for group in (*self._folder.glob("*/"), self._folder):
            with suppress(OSError):
                group.rmdir()


@dataclass(slots=True)
class _Quota:
    """How much a process may have used by now, in seconds of a processor."""

    allowed_seconds: float
    is_stopped: bool = False


class Watch:
    """Limits without privileges: memory that is looked at, processes that are stopped for a while.

    A replica over its memory is killed, as the kernel would; behind that stands RLIMIT_DATA. One that
    has used its share of a period of 100 ms is stopped until enough time has passed.
    """

    words = "processor and memory limits are watched over: without control groups of its own"

    def __init__(self) -> None:
        self._quotas: dict[int, _Quota] = {}
        self._last = time.monotonic()

    def enter(self, name: str, limits: NodeResources) -> None:
        if limits.memory_bytes:
            limit = data_bytes("self") + MEMORY_MARGIN * limits.memory_bytes
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    def tend(self, processes: dict[str, tuple[int, NodeResources]]) -> None:
        now = time.monotonic()
        passed, self._last = now - self._last, now
        for process, limits in processes.values():
            with suppress(OSError):
                self._tend_memory(process, limits)
                self._tend_processor(process, limits, passed)
        gone = self._quotas.keys() - {process for process, _ in processes.values()}
        for process in gone:
            del self._quotas[process]

    def _tend_memory(self, process: int, limits: NodeResources) -> None:
        if limits.memory_bytes and own_bytes(process) > limits.memory_bytes:
            os.kill(process, signal.SIGKILL)

    def _tend_processor(self, process: int, limits: NodeResources, passed: float) -> None:
        if not limits.cpu_cores:
            return
        used = processor_seconds(process)
        quota = self._quotas.setdefault(process, _Quota(used))
        # What it does not use of one period is not saved up for later ones.
        latest = used + limits.cpu_cores * PERIOD_SECONDS
        quota.allowed_seconds = min(quota.allowed_seconds + limits.cpu_cores * passed, latest)
        is_over = used > quota.allowed_seconds
        if is_over != quota.is_stopped:
            quota.is_stopped = is_over
            os.kill(process, signal.SIGSTOP if is_over else signal.SIGCONT)

    def close(self) -> None:
        """Stopped processes can end, too: by SIGKILL."""


def processor_seconds(process: int) -> float:
    """What the threads of a process have used (proc(5), schedstat: nanoseconds)."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def own_bytes(process: int) -> int:
    """Memory that is resident and not of files: what it shares with others counts, too."""
    _, resident, shared, *_ = Path(f"/proc/{process}/statm").read_text().split()
    return (int(resident) - int(shared)) * PAGE_BYTES


def data_bytes(process: str) -> int:
    """What RLIMIT_DATA counts."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def choose_limits(root: Path = Path("/sys/fs/cgroup")) -> Holds:
    """Control groups where this user may have some below its own, else a watch."""
    with suppress(OSError, ValueError):
        if (root / "cgroup.controllers").is_file():
            own = own_group(Path("/proc/self/cgroup").read_text())
            if own != "/":  # never at the root, which is the machine's
                return Groups(root / own.lstrip("/"))
    return Watch()


def own_group(text: str) -> str:
    """The path of our group of version 2. Raises ValueError when there is none."""
    for line in text.splitlines():
        if line.startswith("0::"):
            return line[3:]
    raise ValueError("no control group of version 2")
