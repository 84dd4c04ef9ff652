"""The process that an emulation lives in: namespaces, the switch, and replicas that it restarts.

Run as `python -m emulation.embedded.keeper CHANNEL`, with an assignment as its input. It is two
processes: one outside that cleans up, and the first of a process namespace, with which all ends.
"""

import errno
import os
import pickle
import shutil
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from emulation.embedded.assignment import Assignment
from emulation.embedded.carrier import Carrying
from emulation.embedded.channel import Speaker
from emulation.embedded.first import First
from emulation.embedded.ground import Ground
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
from emulation.embedded.loopback import Loopback
from emulation.embedded.namespaces import Namespaces
from emulation.errors import EmulationError

REMEDY = (
    "Allow user namespaces (sysctl user.max_user_namespaces,"
    " kernel.apparmor_restrict_unprivileged_userns=0), run it as root, or give a container"
    " CAP_SYS_ADMIN and CAP_NET_ADMIN"
)
TOGETHER = "each replica is a process in the network of this machine"
NAMESPACES = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC


def main() -> int:
    """Returns when nothing is left of the emulation."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    assignment: Assignment = pickle.load(sys.stdin.buffer)  # noqa: S301 - of our own parent
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the end is told over the channel
    kernel = Kernel()
    ground, words = _choose_ground(kernel, assignment)
    if ground is None:
        Speaker(channel).say("refused", reason=words)
        return 1
    Speaker(channel).say("mechanism", words=words)
    # Made here, where they are removed again however the other process ends.
    holds = choose_limits()
    first = os.fork()
    if first == 0:
        _be_first(kernel, ground, assignment, holds, channel)
    channel.close()
    os.waitpid(first, 0)
    holds.close()
    shutil.rmtree(assignment.work, ignore_errors=True)
    return 0


def _choose_ground(kernel: Kernel, assignment: Assignment) -> tuple[Ground | None, str]:
    """Namespaces where this user may have them, else loopback; and how that is, or why it is not."""
    if assignment.carrying is Carrying.RELAY:
        return Loopback(assignment), TOGETHER
    if number := _find_obstacle(kernel):
        reason = f"this machine gives this user no namespaces: {os.strerror(number)}. {REMEDY}"
        if assignment.carrying is not Carrying.AUTO:
            return None, reason
        return Loopback(assignment), f"{TOGETHER}: {reason}"
    is_privileged = isolate(kernel)
    whose = "with the privileges of root" if is_privileged else "in a user namespace, unprivileged"
    words = f"each replica is a process in a network namespace of its own, {whose}"
    return Namespaces(kernel, assignment), words


def _find_obstacle(kernel: Kernel) -> int:
    """Why namespaces cannot be had, as an errno; 0 if they can.

    Tried by another process: one that gets some of them, and then may go no further, is stuck.
    """
    trial = os.fork()
    if trial == 0:
        try:
            isolate(kernel)
        except OSError as error:
            os._exit(error.errno or errno.EPERM)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(trial, 0)[1])


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


def _be_first(
    kernel: Kernel, ground: Ground, assignment: Assignment, holds: Holds, channel: socket.socket
) -> NoReturn:
    status = 1
    try:
        kernel.end_with_parent(signal.SIGKILL)
        status = First(ground, assignment, holds, channel).run()
    except EmulationError as error:
        Speaker(channel).say("refused", reason=str(error))
    except Exception as error:  # noqa: BLE001 - the runner is told, whatever it is
        traceback.print_exc()
        Speaker(channel).say("refused", reason=repr(error))
    finally:
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
