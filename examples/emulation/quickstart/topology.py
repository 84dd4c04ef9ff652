"""WoTemu's quickstart: four readers of at most 150 MB ask one server over 3G."""

from emulation.topology import (
    BuiltinApps,
    Network,
    NetworkConditions,
    Node,
    NodeApp,
    NodeResources,
    Topology,
)


def topology() -> Topology:
    mobile = Network(name="3g", conditions=NetworkConditions.REGULAR_3G)
    server = Node(
        name="server", app=NodeApp(path="server.py", http=True), networks=[mobile], scale=1
    )
    reads = NodeApp(
        path=BuiltinApps.READER,
        params={
            "servient_host": f"{server.name}.{mobile.name}",
            "thing_id": "urn:example:quickstart:thing",
        },
    )
    reader = Node(
        name="reader",
        app=reads,
        networks=[mobile],
        resources=NodeResources(mem_limit="150M"),
        scale=4,
    )
    return Topology(nodes=[server, reader], name="quickstart")
