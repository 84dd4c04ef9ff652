"""Counts what leaves the hub for a replica, where it is not a program of ours that sends it."""

import ctypes
import socket
import struct

from emulation.embedded.packets import open_packets
from emulation.embedded.plan import Port
from emulation.embedded.traffic import ARP, Traffic, classify

SO_ATTACH_FILTER = 26
# As long as a frame's heads are.
HEAD_BYTES = 128
BATCH_FRAMES = 64
# Load the type of the packet; all of it if it goes out (PACKET_OUTGOING), else nothing (bpf(2), classic).
OUTGOING_ONLY = (
    (0x30, 0, 0, 0xFFFFF004),
    (0x15, 0, 1, 4),
    (0x06, 0, 0, 0xFFFFFFFF),
    (0x06, 0, 0, 0),
)


class Counter:
    """Looks at the heads of what goes to one replica."""

    def __init__(
        self, port: Port, replica: str, senders: dict[bytes, str], ports: dict[int, str]
    ) -> None:
        self._network = port.network
        self._replica = replica
        self._senders = senders
        self._ports = ports
        self._head = bytearray(HEAD_BYTES)
        self.socket = open_packets(port.hub_interface, takes_outgoing=True)
        _attach(self.socket)

    def count(self, traffic: Traffic) -> None:
        for _ in range(BATCH_FRAMES):
            try:
                # The length that it has, of which only the head is copied (packet(7)).
                size = self.socket.recv_into(self._head, HEAD_BYTES, socket.MSG_TRUNC)
            except OSError:  # nothing more to read
                return
            frame = bytes(self._head[: min(size, HEAD_BYTES)])
            sender = self._senders.get(frame[6:12])
            is_arp = int.from_bytes(frame[12:14], "big") == ARP
            if sender is not None and not is_arp:
                protocol = classify(frame, self._ports)
                traffic.passed(self._network, sender, self._replica, protocol, size)


def _attach(opened: socket.socket) -> None:
    program = b"".join(struct.pack("=HBBI", *line) for line in OUTGOING_ONLY)
    buffer = ctypes.create_string_buffer(program)
    option = struct.pack("@HP", len(OUTGOING_ONLY), ctypes.addressof(buffer))
    opened.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, option)
