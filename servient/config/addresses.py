"""Addresses of this machine: which only it reaches, and which others reach it by."""

import ipaddress
import socket

EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def main_address() -> str:
    """This machine's address on the network that leads outside; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
