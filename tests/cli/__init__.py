"""The command line against servients that run."""
