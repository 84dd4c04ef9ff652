"""What systemd tells the programs that it starts, in their environment."""

import os


def service_manager() -> tuple[str | None, float | None]:
    """systemd's socket for messages, and within how many seconds it wants to hear of us again."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    is_for_us = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    seconds = int(usec) / 1e6 if usec.isdigit() and is_for_us else None
    return os.environ.get("NOTIFY_SOCKET") or None, seconds


def is_journal(descriptor: int) -> bool:
    """Whether what is written there goes to journald (systemd.exec(5), JOURNAL_STREAM)."""
    stream = os.environ.get("JOURNAL_STREAM")
    if not stream:
        return False
    status = os.fstat(descriptor)
    return stream == f"{status.st_dev}:{status.st_ino}"
