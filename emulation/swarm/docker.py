"""The end of a stack: its nodes send what they have measured, then it is taken and removed."""

import json
import subprocess
import time
from collections.abc import Callable

from emulation.errors import EmulationError
from emulation.metrics.merge import earliest_and_latest
from emulation.metrics.run import RunDescription, RunFolder
from emulation.swarm.stack import COLLECTOR, GRACE_SECONDS, RESULTS
from emulation.topology import Topology

COMMAND_SECONDS = 120.0
POLL_SECONDS = 1.0
STACK_LABEL = "com.docker.stack.namespace"
SERVICE_LABEL = "com.docker.swarm.service.name"


class DockerFailed(EmulationError):
    """Docker did not do what it was asked to."""


class Docker:
    """The program `docker`, on a manager of the swarm."""

    def __init__(self, program: str = "docker") -> None:
        self._program = program

    def __call__(self, *arguments: str) -> list[str]:
        """The lines that it prints. Raises DockerFailed."""
        command = [self._program, *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - the arguments are ours
                command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DockerFailed(f"{' '.join(command)}: {error}") from error
        if done.returncode:
            raise DockerFailed(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout.split("\n")[:-1]


def stop_stack(
    topology: Topology,
    stack: str,
    folder: RunFolder,
    docker: Docker,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """End the nodes of a stack, take what was measured to `folder`, and remove the stack.

    To be called on the manager on which the collector runs. Raises DockerFailed.
    """
    names = docker(
        "service", "ls", "--filter", f"label={STACK_LABEL}={stack}", "--format", "{{.Name}}"
    )
    collector = f"{stack}_{COLLECTOR}"
    if collector not in names:
        raise DockerFailed(f"there is no stack {stack} with a {COLLECTOR}")
    nodes = [name for name in names if name != collector]
    if nodes:
        docker("service", "rm", *nodes)
    _wait_for_end(stack, nodes, docker, pause)
    containers = docker("ps", "--quiet", "--filter", f"label={SERVICE_LABEL}={collector}")
    if not containers:
        raise DockerFailed(f"{collector} runs on another machine: stop the stack there")
    folder.make()
    docker("cp", f"{containers[0]}:{RESULTS}/.", str(folder.metrics_path))
    for part in folder.metrics_path.glob("*.part"):
        part.unlink()
    folder.write(_describe(topology, stack, folder))
    docker("stack", "rm", stack)


def _wait_for_end(
    stack: str, nodes: list[str], docker: Docker, pause: Callable[[float], None]
) -> None:
    """Containers on this machine; those on others have the same time to end in."""
    for _ in range(GRACE_SECONDS):
        label = f"label={STACK_LABEL}={stack}"
        running = docker("ps", "--filter", label, "--format", "{{json .Labels}}")
        if not any(
            f"{SERVICE_LABEL}={node}" in _labels(line) for line in running for node in nodes
        ):
            return
        pause(POLL_SECONDS)


def _labels(line: str) -> list[str]:
    return str(json.loads(line)).split(",")


def _describe(topology: Topology, stack: str, folder: RunFolder) -> RunDescription:
    begun, ended = earliest_and_latest(folder.metrics_path.glob("*.sqlite"))
    return RunDescription.of(
        topology,
        started_at=begun,
        seconds=ended - begun,
        backend="swarm",
        mechanism=(f"stack {stack}", "each replica shapes what it sends, by netem"),
    )
