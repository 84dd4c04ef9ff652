"""Topologies of servients and consumers in shaped networks: describe, run, measure, report."""
