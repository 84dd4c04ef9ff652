"""What Python's standard library lacks of Linux: namespaces, mounts and the fate of children."""

import ctypes
import os
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x2, 0x4, 0x8

PR_SET_PDEATHSIG = 1
PR_SET_TIMERSLACK = 29
CLOCK_MONOTONIC = 1
TFD_NONBLOCK, TFD_CLOEXEC, TFD_TIMER_ABSTIME = 0o4000, 0o2000000, 1


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _TimerSpec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class Kernel:
    """System calls by libc. All raise OSError."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def _call(self, name: str, *arguments: object) -> int:
        result = int(getattr(self._libc, name)(*arguments))
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"{name}: {os.strerror(number)}")
        return result

    def unshare(self, flags: int) -> None:
        self._call("unshare", flags)

    def enter(self, namespace: int, kind: int) -> None:
        """Move this process into the namespace that a descriptor stands for."""
        self._call("setns", namespace, kind)

    def mount(self, source: str, target: Path, kind: str, flags: int, options: str = "") -> None:
        words = (source.encode(), os.fsencode(target), kind.encode())
        self._call("mount", *words, ctypes.c_ulong(flags), options.encode())

    def bind(self, source: Path, target: Path) -> None:
        self.mount(str(source), target, "none", MS_BIND)

    def end_with_parent(self, signal_number: int) -> None:
        """Have this process get a signal when its parent (the thread that made it) is gone."""
        self._call("prctl", PR_SET_PDEATHSIG, ctypes.c_ulong(signal_number), 0, 0, 0)

    def sharpen_timers(self) -> None:
        """Wake up when asked, not up to 50 µs later."""
        self._call("prctl", PR_SET_TIMERSLACK, ctypes.c_ulong(1), 0, 0, 0)

    def make_timer(self) -> int:
        """A descriptor that is readable once the time of `set_timer` has come."""
        return self._call("timerfd_create", CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)

    def set_timer(self, timer: int, at_seconds: float) -> None:
        """In the time of time.monotonic(): select and poll know milliseconds only."""
        whole = int(at_seconds)
        rest = int((at_seconds - whole) * 1e9)
        spec = _TimerSpec(_Timespec(0, 0), _Timespec(whole, max(rest, 1)))
        self._call("timerfd_settime", timer, TFD_TIMER_ABSTIME, ctypes.byref(spec), None)


def map_users(user: int, group: int) -> None:
    """Be root in a user namespace that was just made, which is `user` outside of it."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
