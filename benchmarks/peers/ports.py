"""Free ports of this machine's loopback interface."""

import contextlib
import socket
import time


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """One that nobody had a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_udp_port() -> int:
    return free_port(socket.SOCK_DGRAM)


def wait_for(port: int, patience_seconds: float = 10.0) -> None:
    """Until somebody listens there. Raises TimeoutError."""
    until = time.monotonic() + patience_seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.01)
    raise TimeoutError(f"nobody listens on port {port}")
