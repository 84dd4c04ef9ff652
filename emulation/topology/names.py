"""Names of networks, nodes and brokers: parts of host names, in snake_case."""

import re

from emulation.errors import InvalidTopology

# As a host is called `node.network`, and replicas of it `node-2.network`.
NAME = re.compile(r"[a-z0-9]([a-z0-9_]{0,61}[a-z0-9])?")


def to_name(text: str) -> str:
    """The name in snake_case: `EdgeNode` and `edge-node` are both `edge_node`.

    Raises InvalidTopology if that is no part of a host name.
    """
    if not isinstance(text, str):
        raise InvalidTopology(f"a name is a text, not {text!r}")
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text)
    name = re.sub(r"([a-z\d])([A-Z])", r"\1_\2", name).replace("-", "_").lower()
    if not NAME.fullmatch(name):
        raise InvalidTopology(f"{text!r} is not a name: letters, digits and _, at most 63")
    return name
