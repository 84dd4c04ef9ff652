"""Load generators: closed loops that keep a number of requests under way and look at each answer."""
