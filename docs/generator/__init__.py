"""Writes docs/reference/ from code, Thing Models and what a running servient says."""
