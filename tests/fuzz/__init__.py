"""Bytes without end for every parser that faces the network: `python -m tests.fuzz --help`."""
