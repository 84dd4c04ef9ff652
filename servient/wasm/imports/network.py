"""`network`: how far away other machines are."""

import asyncio
import contextlib
import os
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network

from servient.errors import ActionFailed, ModuleTrapped
from servient.wasm.imports.caller import Caller
from servient.wasm.imports.host_function import HostFunction
from servient.wasm.imports.waiting import wait_for
from servient.wasm.types import Signature, ValueType

I32 = ValueType.I32
UNREACHABLE = -1.0
PATIENCE_SECONDS = 2.0
# Where no machine listens: its refusal is the answer.
ECHO_PORT = 7
# RFC 792: type, code, checksum, identifier (which the kernel sets), sequence number.
ECHO_REQUEST, ECHO_REPLY = 8, 0
ECHO = "!BBHHH"


class Network:
    """Only addresses in `networks` are asked."""

    name = "network"

    def __init__(self, networks: Sequence[IPv4Network]) -> None:
        self._networks = tuple(networks)

    def functions(self) -> Mapping[str, HostFunction]:
        return {"ping": HostFunction(Signature((I32, I32, I32, I32), (ValueType.F32,)), self._ping)}

    def _ping(self, caller: Caller, *octets: int) -> float:
        """Milliseconds to the IPv4 address of these four octets and back; -1 without an answer."""
        if not all(0 <= octet <= 255 for octet in octets):
            raise ModuleTrapped(f"{'.'.join(map(str, octets))} is not an IPv4 address")
        address = IPv4Address(bytes(octets))
        if not any(address in network for network in self._networks):
            raise ActionFailed(
                f"{address} may not be asked: it must be within the setting `ping_networks`"
            )
        return wait_for(_round_trip(str(address)), caller)


async def _round_trip(address: str) -> float:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await _echo(address)
    except PermissionError:  # this system gives ICMP to administrators only
        pass
    except (TimeoutError, OSError):
        return UNREACHABLE
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await _connect(address)
    except (TimeoutError, OSError):
        return UNREACHABLE


async def _echo(address: str) -> float:
    """By an ICMP echo (icmp(7): unprivileged, where `ping_group_range` allows it)."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as link:
        link.setblocking(False)
        token = os.urandom(16)
        began = time.perf_counter()
        link.connect((address, 0))
        await loop.sock_sendall(link, struct.pack(ECHO, ECHO_REQUEST, 0, 0, 0, 1) + token)
        while True:
            answer = await loop.sock_recv(link, 1024)
            if answer[:1] == bytes([ECHO_REPLY]) and answer.endswith(token):
                return (time.perf_counter() - began) * 1000


async def _connect(address: str) -> float:
    """By a TCP connection, whether it is accepted or refused."""
    began = time.perf_counter()
    with contextlib.suppress(ConnectionRefusedError):
        _, writer = await asyncio.open_connection(address, ECHO_PORT)
        writer.close()
    return (time.perf_counter() - began) * 1000
