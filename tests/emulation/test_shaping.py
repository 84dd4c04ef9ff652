"""Lines and delays by themselves: rates, queues, losses and jitter, without any packet."""

import itertools
import statistics

from emulation.embedded.shaper import Fate, Line
from emulation.embedded.traffic import classify
from emulation.embedded.wander import make_delay
from emulation.topology import Change, Jitter, Link


def arrivals(link: Link, times: list[float], size: int = 1000) -> list[float | Fate]:
    """Of packets on a shared link."""
    line = Line(link, "seed")
    found: list[float | Fate] = []
    for time in times:
        left = line.send(time, size)
        found.append(left if isinstance(left, Fate) else line.travel(left, line, "sender"))
    return found


def test_a_rate_spreads_packets_and_a_queue_is_bounded() -> None:
    link = Link(rate_kbit=80, queue_bytes=3000)  # a packet of 1000 bytes takes 100 ms
    found = arrivals(link, [0, 0, 0, 0, 0.25])
    assert found == [0.1, 0.2, 0.30000000000000004, Fate.QUEUE, 0.4]


def test_lines_of_their_own_have_two_rates() -> None:
    link = Link(latency_ms=100, uplink_rate_kbit=80, downlink_rate_kbit=40, is_shared=False)
    one, other = Line(link, "one"), Line(link, "other")
    left = one.send(0, 1000)
    assert left == 0.1
    there = one.travel(0.1, other, "one")
    assert there == 0.2
    assert other.receive(0.2, 1000, one) == 0.4
    assert one.send(0.1, 1000) == 0.2  # what comes back does not compete


def test_losses_are_as_many_as_asked_for_also_in_bursts() -> None:
    times = [number / 1000 for number in range(100_000)]
    for correlation in (0, 50):
        link = Link(loss_percent=2, loss_correlation_percent=correlation)
        lost = [fate is Fate.LOSS for fate in arrivals(link, times)]
        assert 0.017 < statistics.mean(lost) < 0.023
        bursts = sum(one and other for one, other in itertools.pairwise(lost)) / sum(lost)
        assert (bursts > 0.4) == (correlation == 50)


def test_the_mean_delay_is_the_latency() -> None:
    for jitter in Jitter:
        for latency, deviation in ((300, 150), (5, 5), (40, 10)):
            link = Link(latency_ms=latency, jitter_ms=deviation, jitter=jitter)
            delay = make_delay(link, "seed")
            values = [delay(number / 200) * 1000 for number in range(100_000)]
            assert abs(statistics.mean(values) / latency - 1) < 0.02
            assert min(values) >= 0
            assert statistics.stdev(values) > deviation * 0.4


def test_a_correlated_delay_never_falls_faster_than_time_passes() -> None:
    delay = make_delay(Link(latency_ms=300, jitter_ms=150), "seed")
    times = [number / 1000 for number in range(100_000)]
    found = [time + delay(time) for time in times]
    assert all(one <= other + 1e-9 for one, other in itertools.pairwise(found))


def test_runs_with_a_seed_repeat() -> None:
    link = Link(latency_ms=50, jitter_ms=10, loss_percent=10, duplication_percent=5)
    times = [number / 50 for number in range(1000)]
    assert arrivals(link, times) == arrivals(link, times)


def test_an_outage_counts_from_the_beginning() -> None:
    changes = (Change(1, is_up=False), Change(2, is_up=True, latency_ms=500))
    line = Line(Link(latency_ms=10, schedule=changes), "seed")
    assert line.send(5, 100) == 5
    line.begin(10)
    assert line.send(10.5, 100) == 10.5
    assert line.send(11.5, 100) is Fate.OUTAGE
    assert line.send(12.5, 100) == 12.5
    assert line.travel(12.5, line, "sender") == 13.0


def test_frames_are_told_apart_by_their_ports() -> None:
    ports = {80: "http", 5683: "coap"}
    head = bytes(12) + b"\x08\x00" + b"\x45" + bytes(8)
    rest = bytes(10) + (40000).to_bytes(2) + (80).to_bytes(2) + bytes(20)
    assert classify(head + b"\x06" + rest, ports) == "http"
    assert classify(head + b"\x01" + rest, ports) == "icmp"
    other = bytes(10) + (5683).to_bytes(2) + (40000).to_bytes(2) + bytes(20)
    assert classify(head + b"\x11" + other, ports) == "coap"
    assert classify(bytes(12) + b"\x08\x06" + bytes(46), ports) == "arp"
    for length in range(80):
        classify((head + b"\x06" + rest)[:length], ports)
        classify(b"\xff" * length, ports)
