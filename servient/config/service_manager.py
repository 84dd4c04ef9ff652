"""What systemd tells the programs that it starts, in their environment."""

import os


def service_manager() -> tuple[str | None, float | None]:
    """systemd's socket for messages, and within how many seconds it wants to hear of us again."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    is_for_us = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    seconds = int(usec) / 1e6 if usec.isdigit() and is_for_us else None
    return os.environ.get("NOTIFY_SOCKET") or None, seconds
