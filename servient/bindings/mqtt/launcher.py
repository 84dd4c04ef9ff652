"""Becomes another program that ends when its parent does: `launcher.py PARENT UID GID PROGRAM ARGUMENT…`.

Run by `python -I -S`, it costs a few milliseconds once. The kernel forgets the signal when a process
changes its user (prctl(2)), so that is done here, before, and not by the program.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, user, group = map(int, sys.argv[1:4])
    if os.geteuid() == 0 and user:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == parent:  # else it ended before the kernel could be told
        os.execv(sys.argv[4], sys.argv[4:])  # noqa: S606 - the caller's own program


if __name__ == "__main__":
    main()
