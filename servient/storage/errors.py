"""What goes wrong with the store before the servient runs; later it is `StorageFailed`."""


class Unusable(OSError):
    """The store cannot be opened; the message says which file and why, in one sentence."""


class Damaged(Unusable):
    """The database is none any more, or not a whole one."""
