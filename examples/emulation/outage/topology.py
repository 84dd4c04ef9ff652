"""A clock that is read over WLAN, which is down for ten seconds, and slow for the ten after that."""

from emulation.topology import BuiltinApps, Change, Link, Network, Node, NodeApp, Topology


def topology() -> Topology:
    wireless = Network(
        "wireless",
        link=Link(
            latency_ms=25,
            jitter_ms=5,
            rate_kbit=50_000,
            schedule=(
                Change(at_seconds=15, is_up=False),
                Change(at_seconds=25, is_up=True, latency_ms=250, jitter_ms=50),
                Change(at_seconds=35, latency_ms=25, jitter_ms=5),
            ),
        ),
    )
    clock = Node("clock", NodeApp(BuiltinApps.CLOCK, http=True), networks=[wireless])
    reader = Node(
        "reader",
        NodeApp(
            BuiltinApps.READER,
            params={
                "servient_host": "clock.wireless",
                "thing_id": "urn:org:fundacionctic:thing:clock",
                "interval": 0.5,
            },
        ),
        networks=[wireless],
        scale=3,
    )
    return Topology([clock, reader], name="outage")
