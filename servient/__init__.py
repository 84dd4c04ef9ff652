"""A Web of Things servient that turns WebAssembly modules into W3C Things."""

from servient.version import VERSION

__version__ = VERSION
