"""Consumers of Things, one per wire, each on a foreign client library."""
