"""Packet sockets: what passes an interface, frame by frame (packet(7))."""

import socket

ETH_P_ALL = 3
SOL_PACKET, PACKET_IGNORE_OUTGOING, PACKET_STATISTICS = 263, 23, 6
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
SOCKET_BUFFER_BYTES = 4 * 2**20


def open_packets(interface: str, *, takes_outgoing: bool = False) -> socket.socket:
    """What comes in on an interface, or also what goes out."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    opened.setblocking(False)
    opened.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, int(not takes_outgoing))
    for option, forced in (
        (socket.SO_RCVBUF, SO_RCVBUFFORCE),
        (socket.SO_SNDBUF, SO_SNDBUFFORCE),
    ):
        try:
            opened.setsockopt(socket.SOL_SOCKET, forced, SOCKET_BUFFER_BYTES)
        except PermissionError:  # within a user namespace: as much as everybody may have
            opened.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
    opened.bind((interface, ETH_P_ALL))
    return opened


def missed(opened: socket.socket) -> int:
    """Frames that found no room since it was last asked."""
    statistics = opened.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
    return int.from_bytes(statistics[4:8], "little")
