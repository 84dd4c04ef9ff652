"""One servient that runs a module, and ten callers: four protocols side by side, in three networks."""

import json

from emulation.topology import (
    Broker,
    Network,
    NetworkConditions,
    Node,
    NodeApp,
    ServientApp,
    Topology,
)

PROTOCOLS = ("http", "websocket", "coap", "mqtt")


def topology() -> Topology:
    wifi = Network("wifi", conditions=NetworkConditions.WIFI)
    lte = Network("lte", conditions=NetworkConditions.LTE)
    cable = Network("cable", conditions=NetworkConditions.CABLE)
    broker = Broker("broker", networks=[wifi, lte, cable])
    server = Node(
        "servient",
        NodeApp(
            http=True,
            ws=True,
            coap=True,
            mqtt=True,
            servient=ServientApp(deploys=("../../fibonacci/fibonacci.wasm",)),
        ),
        networks=[wifi, lte, cable],
        broker=broker,
        broker_network=cable,
    )

    def callers(protocol: str, network: Network, count: int) -> Node:
        params = {
            "servient_host": f"servient.{network.name}",
            "thing_id": "fibonacci:fibonacci",
            "action": "fibo",
            "inputs": json.dumps({"param0": 30}),
            "protocol": protocol,
            "rate": 2,
        }
        name = f"{protocol}_{network.name}"
        return Node(name, NodeApp("caller.py", params=params), networks=[network], scale=count)

    return Topology(
        [
            server,
            *(callers(protocol, wifi, 1) for protocol in PROTOCOLS),
            *(callers(protocol, lte, 1) for protocol in PROTOCOLS),
            callers("http", cable, 1),
            callers("coap", cable, 1),
        ],
        name="protocols",
    )
