"""The same topologies on Docker Swarm: a stack file, the node in its container, and its end."""
