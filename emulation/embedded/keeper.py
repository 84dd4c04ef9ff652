"""The process that an emulation lives in: namespaces, the switch, and replicas that it restarts.

Run as `python -m emulation.embedded.keeper CHANNEL`, with an assignment as its input. It is two
processes: one outside that cleans up, and the first of a process namespace, with which all ends.
"""

import os
import pickle
import shutil
import signal
import socket
import sys
import traceback
from pathlib import Path

from emulation.embedded.assignment import Assignment
from emulation.embedded.channel import Speaker
from emulation.embedded.first import First
from emulation.embedded.kernel import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    MS_PRIVATE,
    MS_REC,
    Kernel,
    map_users,
)
from emulation.embedded.limits import Holds, choose_limits

NAMESPACES = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC


def main() -> int:
    """Returns when nothing is left of the emulation."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    assignment: Assignment = pickle.load(sys.stdin.buffer)  # noqa: S301 - of our own parent
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the end is told over the channel
    kernel = Kernel()
    try:
        is_privileged = isolate(kernel)
    except OSError as error:
        reason = (
            f"this machine gives this user no namespaces: {error.strerror or error}. Allow user"
            " namespaces (sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns"
            "=0), run it as root, or give a container CAP_SYS_ADMIN and CAP_NET_ADMIN"
        )
        Speaker(channel).say("refused", reason=reason)
        return 1
    whose = "with the privileges of root" if is_privileged else "in a user namespace, unprivileged"
    words = f"each replica is a process in a network namespace of its own, {whose}"
    Speaker(channel).say("mechanism", words=words)
    # Made here, where they are removed again however the other process ends.
    holds = choose_limits()
    first = os.fork()
    if first == 0:
        _be_first(kernel, assignment, holds, channel)
    channel.close()
    os.waitpid(first, 0)
    holds.close()
    shutil.rmtree(assignment.work, ignore_errors=True)
    return 0


def isolate(kernel: Kernel) -> bool:
    """Have the next child be the first of a process namespace, in a network of its own.

    Returns whether that was done with the privileges of this user; otherwise it is in a user
    namespace, too. Raises OSError where neither is allowed.
    """
    user, group = os.getuid(), os.getgid()
    try:
        kernel.unshare(NAMESPACES)
        is_privileged = True
    except PermissionError:
        kernel.unshare(NAMESPACES | CLONE_NEWUSER)
        map_users(user, group)
        is_privileged = False
    # No mount of ours is seen by anybody else.
    kernel.mount("none", Path("/"), "", MS_REC | MS_PRIVATE)
    return is_privileged


def _be_first(kernel: Kernel, assignment: Assignment, holds: Holds, channel: socket.socket) -> None:
    status = 1
    try:
        kernel.end_with_parent(signal.SIGKILL)
        status = First(kernel, assignment, holds, channel).run()
    except Exception as error:  # noqa: BLE001 - the runner is told, whatever it is
        traceback.print_exc()
        Speaker(channel).say("refused", reason=repr(error))
    finally:
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
