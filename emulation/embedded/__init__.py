"""Emulation on one machine: a process per replica, each in a network namespace of its own."""
