"""Shapes what a container sends, by its kernel's netem: each replica has a line of its own."""

import asyncio
import json
import socket
from collections.abc import Sequence

from emulation.errors import EmulationError
from emulation.topology import Link, Network, Node

COMMAND_SECONDS = 10.0
RESOLVE_SECONDS = 60.0
QUEUE_LIMIT_PACKETS = 10_000


class CannotShape(EmulationError):
    """The kernel has no netem, or the container not the right to use it."""


def to_arguments(interface: str, link: Link) -> list[str]:
    """What `tc` is called with; an interface that is down loses all it gets (tc-netem(8))."""
    arguments = ["qdisc", "replace", "dev", interface, "root", "netem"]
    arguments += ["limit", str(QUEUE_LIMIT_PACKETS)]
    if not link.is_up:
        return [*arguments, "loss", "100%"]
    if link.latency_ms or link.jitter_ms:
        arguments += ["delay", f"{link.latency_ms:g}ms"]
        if link.jitter_ms:
            arguments += [f"{link.jitter_ms:g}ms", "distribution", "normal"]
    if link.loss_percent:
        arguments += ["loss", f"{link.loss_percent:g}%", f"{link.loss_correlation_percent:g}%"]
    if link.duplication_percent:
        arguments += ["duplicate", f"{link.duplication_percent:g}%"]
    rate = link.uplink_rate_kbit or link.rate_kbit
    return [*arguments, "rate", f"{rate:g}kbit"] if rate else arguments


def link_of(network: Network, node: Node | None) -> Link:
    """A node's own line in a network, else the network's."""
    own = node.links.get(network.name) if node is not None else None
    return own or network.effective_link


async def shape(interface: str, link: Link) -> None:
    """Shape an interface as its link is from second to second, for ever. Raises CannotShape."""
    loop = asyncio.get_running_loop()
    begun, known = loop.time(), None
    while True:
        now = link.at(loop.time() - begun)
        if now != (known or Link()):  # what is as fast as the machine needs no netem
            await _run("tc", *to_arguments(interface, now))
            known = now
        if not link.schedule:
            return
        await asyncio.sleep(0.1)


async def find_interface(host: str) -> str:
    """The interface with an address that `host` has: one's own name in a network.

    Raises CannotShape when none has in time.
    """
    own = _addresses(json.loads(await _run("ip", "-json", "address")))
    loop = asyncio.get_running_loop()
    end = loop.time() + RESOLVE_SECONDS
    while loop.time() < end:
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except socket.gaierror:
            found = []  # it is known when the container counts as started
        for *_, address in found:
            if str(address[0]) in own:
                return own[str(address[0])]
        await asyncio.sleep(0.5)
    raise CannotShape(f"no interface has an address of {host}")


def _addresses(interfaces: Sequence[dict[str, object]]) -> dict[str, str]:
    found = {}
    for interface in interfaces:
        infos = interface.get("addr_info")
        for info in infos if isinstance(infos, list) else ():
            found[info["local"]] = str(interface["ifname"])
    return found


async def _run(program: str, *arguments: str) -> bytes:
    try:
        process = await asyncio.create_subprocess_exec(
            program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
    except FileNotFoundError as error:
        raise CannotShape(f"{program} is not installed: the image needs iproute2") from error
    async with asyncio.timeout(COMMAND_SECONDS):
        output, problem = await process.communicate()
    if process.returncode:
        words = problem.decode(errors="replace").strip()
        raise CannotShape(f"{program} {' '.join(arguments)}: {words}")
    return output
