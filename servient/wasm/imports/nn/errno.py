"""How a function of `wasi_ephemeral_nn` tells a guest what went wrong."""

from enum import IntEnum


class Errno(IntEnum):
    """`nn_errno` of wasi-nn.witx."""

    SUCCESS = 0
    INVALID_ARGUMENT = 1
    INVALID_ENCODING = 2
    MISSING_MEMORY = 3
    BUSY = 4
    RUNTIME_ERROR = 5
    UNSUPPORTED_OPERATION = 6
    TOO_LARGE = 7
    NOT_FOUND = 8


class Refused(Exception):
    """A call gives this number back; the reason is for the log, since a guest learns no words."""

    def __init__(self, errno: Errno, reason: str) -> None:
        super().__init__(reason)
        self.errno = errno
