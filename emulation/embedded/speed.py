"""`target_cpu_speed` as a share of this machine's core: measured by sysbench."""

import asyncio
import re
import shutil
from dataclasses import replace

from emulation.errors import EmulationError
from emulation.topology.node import Node
from emulation.topology.topology import Topology

# Events of the CPU test as it is by default: all primes up to 10,000, on one thread.
COMMAND = ("cpu", "--threads=1", "--time=1", "run")
SPEED = re.compile(rb"events per second:\s*([0-9.]+)")
LIMIT_SECONDS = 30.0


class CannotMeasure(EmulationError):
    """How quick this machine is cannot be known; says what would help."""


async def with_limits(topology: Topology) -> Topology:
    """The same, with limits in cores where speeds were asked for. Raises CannotMeasure."""
    if not any(node.resources and node.resources.target_cpu_speed for node in topology.nodes):
        return topology
    speed = await _measure()
    return replace(topology, nodes=[_limited(node, speed) for node in topology.nodes])


def _limited(node: Node, speed: float) -> Node:
    wanted = node.resources.target_cpu_speed if node.resources else None
    if node.resources is None or not wanted:
        return node
    if wanted > speed:
        raise CannotMeasure(
            f"{node.name}: a core of this machine does {speed:.0f} events in a second,"
            f" not the {wanted:g} of its target_cpu_speed"
        )
    limits = replace(node.resources, target_cpu_speed=None, cpu_limit=round(wanted / speed, 4))
    return replace(node, resources=limits)


async def _measure() -> float:
    program = shutil.which("sysbench")
    if program is None:
        raise CannotMeasure("a target_cpu_speed wants sysbench: install it, or give a cpu_limit")
    process = await asyncio.create_subprocess_exec(
        program, *COMMAND, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError as error:
        process.kill()
        raise CannotMeasure(f"sysbench did not end within {LIMIT_SECONDS:g} s") from error
    found = SPEED.search(output)
    if found is None:
        raise CannotMeasure(f"sysbench tells no events per second: {output[-200:]!r}")
    return float(found[1])
