"""A chain over 3G: consumers ask a gateway, which asks a sensor; both ways are slow."""

import json

from emulation.topology import BuiltinApps, Network, NetworkConditions, Node, NodeApp, Topology


def topology() -> Topology:
    field = Network("field", conditions=NetworkConditions.REGULAR_3G)
    mobile = Network("mobile", conditions=NetworkConditions.REGULAR_3G)
    sensor = Node("sensor", NodeApp("sensor.py", coap=True), networks=[field])
    gateway = Node(
        "gateway",
        NodeApp(
            "gateway.py",
            http=True,
            params={"sensor_host": "sensor.field", "sensor_id": "urn:example:chain:sensor"},
        ),
        # The forms in its descriptions name its host in the first network.
        networks=[mobile, field],
    )
    caller = Node(
        "caller",
        NodeApp(
            BuiltinApps.CALLER,
            params={
                "servient_host": "gateway.mobile",
                "thing_id": "urn:example:chain:gateway",
                "params": json.dumps({"average": 2}),
                "timeout": 30,
                "lambd": 0.5,
            },
        ),
        networks=[mobile],
        scale=2,
    )
    return Topology([sensor, gateway, caller], name="chain")
