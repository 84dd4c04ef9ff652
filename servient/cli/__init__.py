"""The command line."""

from servient.cli.program import main

__all__ = ["main"]
