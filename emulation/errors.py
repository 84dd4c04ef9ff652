"""What can be wrong with an emulation, as sentences for whoever described or started it."""


class EmulationError(Exception):
    """What ends an emulation, or keeps it from starting."""


class InvalidTopology(EmulationError):
    """A description that cannot be emulated; says which part and why."""


class CannotIsolate(EmulationError):
    """The machine gives this user no network namespaces."""
