"""The errors that only CoAP knows."""

from servient.errors import InvalidInput, ServientError


class BadOption(InvalidInput):
    """A request has a critical option that is unknown, invalid or repeated (RFC 7252 5.4.1)."""

    title = "Bad option"


class BlocksMissing(ServientError):
    """A block came without those before it, or one is asked for that is not kept any more."""

    status = 408
    title = "Blocks missing"


class ProxyingNotSupported(ServientError):
    """A request is for another server."""

    status = 501
    title = "Proxying not supported"
