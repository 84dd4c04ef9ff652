"""Folders of runs whose figures are known, written by the recorders that emulations use."""

from pathlib import Path

from emulation.metrics.records import (
    Change,
    EmissionRecord,
    EventRecord,
    HostRecord,
    InteractionRecord,
    LogRecord,
    Side,
    State,
    StateRecord,
    SubscriptionRecord,
    TrafficRecord,
    UsageRecord,
)
from emulation.metrics.run import NetworkFigures, NodeFigures, RunDescription, RunFolder

START = 1_800_000_000.0
SECONDS = 20.0
HOSTILE = '<script>alert("1")</script>&'


def write_run(path: Path, *, host_cpu: float = 0.4, slower: float = 1.0) -> RunFolder:
    """100 calls over each of two protocols, 5 errors, 40 events, 10 dropped packets, one crash.

    The n-th event takes n ms.

    The n-th call over HTTP takes n ms, over CoAP 2n ms, times `slower`; handlers take 1 ms.
    """
    folder = RunFolder(path)
    folder.make()
    folder.write(_description())
    with folder.recorder("reader") as reader, folder.recorder("server") as server:
        for number in range(1, 101):
            for protocol, factor in (("http", 1), ("coap", 2)):
                at, span = START + number * 0.1, f"{protocol}{number}"
                error = HOSTILE if number > 95 and protocol == "coap" else ""
                where = ("Lab", "level", "readproperty")
                reader.record(
                    InteractionRecord(
                        "reader",
                        Side.CONSUMED,
                        at,
                        number * factor * slower / 1000,
                        *where,
                        protocol,
                        f"{protocol}://server.wifi/level",
                        0,
                        10,
                        error,
                        span,
                        span,
                    )
                )
                server.record(
                    InteractionRecord(
                        "server", Side.EXPOSED, at, 0.001, *where, trace=span, span=span
                    )
                )
        event = ("Lab", "ticked", "subscribeevent", "http")
        reader.record(SubscriptionRecord("reader", START, Change.BEGUN, *event))
        for number in range(40):
            at, word = START + number / 4, f"{number:016x}"
            server.record(EmissionRecord("server", at, *event[:3], word))
            reader.record(EventRecord("reader", at + number / 1000, *event, 25, word))
        reader.record(LogRecord("reader", START, f"hello {HOSTILE}"))
    with folder.recorder("emulation") as runner:
        for second in range(int(SECONDS)):
            at = START + second + 0.5
            runner.record(HostRecord("machine", at, host_cpu, 1.0, 0.3))
            for replica in ("reader", "server"):
                runner.record(UsageRecord(replica, at, 0.25, 50_000_000))
            runner.record(TrafficRecord(at, "wifi", "reader", "server", "http", 10, 12_500))
            runner.record(TrafficRecord(at, "wifi", "server", "reader", "coap", 5, 2_500))
        runner.record(TrafficRecord(START, "wifi", "server", "reader", "coap", 0, 0, 10, "loss"))
        for replica in ("reader", "server"):
            runner.record(StateRecord(replica, START, State.STARTED))
        runner.record(StateRecord("reader", START + 5, State.CRASHED, f"MemoryError {HOSTILE}"))
        runner.record(StateRecord("reader", START + 6, State.STARTED))
    return folder


def _description() -> RunDescription:
    wifi = NetworkFigures(
        "wifi", 25, 5, 1_000, loss_percent=1, conditions="WIFI", changes=((8, "down"), (12, "up"))
    )
    server = NodeFigures("server", ("server",), ("wifi",), "server.py", ("http", "coap"))
    reader = NodeFigures("reader", ("reader",), ("wifi",), f"reader{HOSTILE}.py")
    return RunDescription(
        "lab", START, SECONDS, "embedded", ("a switch",), (wifi,), (server, reader), cores=2
    )
