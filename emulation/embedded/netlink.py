"""Network interfaces by rtnetlink (rtnetlink(7)): no program and no privilege beyond a namespace's."""

import ctypes
import fcntl
import os
import socket
import struct
from types import TracebackType
from typing import Self

NETLINK_ROUTE = 0
RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE = 16, 20, 24
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 1, 4, 0x200, 0x400
NLMSG_ERROR = 2
NLA_F_NESTED = 0x8000
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINKINFO, IFLA_NET_NS_FD = 1, 3, 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST = 1, 2, 4
RTA_DST, RTA_OIF = 1, 4
RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_LINK, RTN_UNICAST = 254, 3, 253, 1
IFF_UP = 1

SIOCGIFINDEX, SIOCETHTOOL = 0x8933, 0x8946
# Set: checksums by the receiver's kernel, and frames larger than packets on the wire.
ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO = 0x17, 0x1F, 0x24, 0x2C


def _attribute(kind: int, value: bytes) -> bytes:
    padding = -len(value) % 4
    return struct.pack("=HH", len(value) + 4, kind) + value + b"\0" * padding


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _link(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, change)


class Interfaces:
    """The interfaces of the network namespace in which this is made, wherever it is used later."""

    def __init__(self) -> None:
        self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        self._netlink.bind((0, 0))
        self._plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._netlink.close()
        self._plain.close()

    def _ask(self, kind: int, flags: int, body: bytes) -> None:
        self._sequence += 1
        flags |= NLM_F_REQUEST | NLM_F_ACK
        self._netlink.send(
            struct.pack("=IHHII", 16 + len(body), kind, flags, self._sequence, 0) + body
        )
        answer = self._netlink.recv(65536)
        (_, answered, _, _, _, number) = struct.unpack_from("=IHHIIi", answer)
        if answered == NLMSG_ERROR and number:
            raise OSError(-number, f"rtnetlink: {os.strerror(-number)}")

    def _index(self, name: str) -> int:
        """By ioctl: if_nametoindex(3) would look in the namespace of the caller."""
        request = fcntl.ioctl(self._plain, SIOCGIFINDEX, struct.pack("=16si12x", name.encode(), 0))
        return int(struct.unpack_from("=16si", request)[1])

    def add_pair(self, name: str, peer: str, peer_mac: bytes, peer_namespace: int) -> None:
        """A veth pair: one end here, the other in the namespace of a descriptor."""
        other = _link() + _text(IFLA_IFNAME, peer) + _attribute(IFLA_ADDRESS, peer_mac)
        other += _attribute(IFLA_NET_NS_FD, struct.pack("=I", peer_namespace))
        data = _attribute(VETH_INFO_PEER | NLA_F_NESTED, other)
        info = _text(IFLA_INFO_KIND, "veth") + _attribute(IFLA_INFO_DATA | NLA_F_NESTED, data)
        body = _link() + _text(IFLA_IFNAME, name) + _attribute(IFLA_LINKINFO | NLA_F_NESTED, info)
        self._ask(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)

    def set_up(self, name: str) -> None:
        self._ask(RTM_NEWLINK, 0, _link(self._index(name), IFF_UP, IFF_UP))

    def add_address(self, name: str, address: str, prefix_bits: int, broadcast: str) -> None:
        here = socket.inet_aton(address)
        body = struct.pack("=BBBBI", socket.AF_INET, prefix_bits, 0, 0, self._index(name))
        body += _attribute(IFA_LOCAL, here) + _attribute(IFA_ADDRESS, here)
        body += _attribute(IFA_BROADCAST, socket.inet_aton(broadcast))
        self._ask(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, body)

    def add_route(self, network: str, prefix_bits: int, name: str) -> None:
        """Send what is for a network out on an interface, as for multicast, which has no other way."""
        kinds = (RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_LINK, RTN_UNICAST)
        body = struct.pack("=BBBBBBBBI", socket.AF_INET, prefix_bits, 0, 0, *kinds, 0)
        body += _attribute(RTA_DST, socket.inet_aton(network))
        body += _attribute(RTA_OIF, struct.pack("=I", self._index(name)))
        self._ask(RTM_NEWROUTE, NLM_F_CREATE, body)

    def send_plain_packets(self, name: str) -> None:
        """Have the kernel send packets as they would be on a wire: with checksums, none too large."""
        for command in (ETHTOOL_SGRO, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM):
            value = ctypes.create_string_buffer(struct.pack("=II", command, 0))
            request = struct.pack("@16sP16x", name.encode(), ctypes.addressof(value))
            fcntl.ioctl(self._plain, SIOCETHTOOL, request)
