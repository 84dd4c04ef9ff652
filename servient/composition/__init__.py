"""The parts of a running servient, each made of the settings that it needs."""
