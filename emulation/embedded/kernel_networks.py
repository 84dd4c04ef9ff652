"""Networks that the kernel makes: a bridge each, with netem and tbf on the way into it."""

import contextlib
import json
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from emulation.embedded import tc
from emulation.embedded.carrier import Report, Tell
from emulation.embedded.counter import Counter
from emulation.embedded.kernel_line import Line, lines_of
from emulation.embedded.packets import missed
from emulation.embedded.plan import Plan
from emulation.embedded.shaper import Fate
from emulation.embedded.traffic import Traffic

REPORT_SECONDS = 1.0
# How often a delay that wanders is set anew.
STEP_SECONDS = 0.01
PROBE = "probe0"
PROBES = (
    ("bridges", "ip", "link add probe1 type bridge"),
    ("ifb", "ip", f"link add {PROBE} type ifb"),
    (
        "netem",
        "tc",
        f"qdisc add dev {PROBE} root handle 1: netem limit 10 delay 1ms rate {tc.ORDERLY_RATE}"
        " loss gemodel 1% 99%",
    ),
    (
        "tbf",
        "tc",
        f"qdisc add dev {PROBE} parent 1:1 handle 10: tbf rate 1000000bit burst 1600 limit 4000",
    ),
    ("ingress", "tc", f"qdisc add dev {PROBE} ingress"),
    (
        "u32 and mirred",
        "tc",
        f"filter add dev {PROBE} parent ffff: protocol ip prio 1 u32 match u32 0 0"
        f" action mirred egress redirect dev {PROBE}",
    ),
)


def find_obstacle(plan: Plan) -> str | None:
    """Why the kernel cannot carry this; None if it can. To be called in the hub's namespace."""
    kinds: dict[str, set[bool]] = {}
    for place in plan.places:
        for port in place.ports:
            kinds.setdefault(port.network, set()).add(port.is_shared)
    if any(len(found) > 1 for found in kinds.values()):
        return "some nodes have lines of their own in a network that others share"
    try:
        for what, program, command in PROBES:
            try:
                tc.run(program, [command])
            except tc.TcFailed as error:
                return f"no {what} ({str(error)[:200]})"
    finally:
        for name in (PROBE, "probe1"):
            with contextlib.suppress(tc.TcFailed):
                tc.run("ip", [f"link del {name}"])
    return None


class KernelNetworks:
    """All networks of an emulation. Made in the namespace that holds the interfaces' other ends."""

    def __init__(self, plan: Plan, ports: dict[int, str], seed: int, tell: Tell) -> None:
        self._plan = plan
        self._seed = f"{seed}"
        self._tell = tell
        self._traffic = Traffic()
        self._lines = list(lines_of(plan))
        self._start = time.monotonic()
        self._begun_at: float | None = None
        for line in self._lines:
            line.set(0.0, self._seed)
        self._make()
        names: dict[str, dict[bytes, str]] = {}
        for place in plan.places:
            for port in place.ports:
                names.setdefault(port.network, {})[port.mac] = place.name
        self._counters = {
            counter.socket.fileno(): counter
            for place in plan.places
            for port in place.ports
            for counter in [Counter(port, place.name, names[port.network], ports)]
        }

    # How they are made

    def _make(self) -> None:
        networks = dict.fromkeys(
            port.network for place in self._plan.places for port in place.ports
        )
        bridges = {network: f"br{number}" for number, network in enumerate(networks)}
        commands = [f"link add {name} type bridge mcast_snooping 0" for name in bridges.values()]
        for line in self._lines:
            if not line.is_down:
                commands += [f"link add {line.interface} type ifb", f"link set {line.interface} up"]
        for place in self._plan.places:
            for port in place.ports:
                commands.append(f"link set {port.hub_interface} master {bridges[port.network]}")
        commands += [f"link set {name} up" for name in bridges.values()]
        tc.run("ip", commands)
        tc.run("tc", self._disciplines())

    def _disciplines(self) -> Iterator[str]:
        for line in self._lines:
            delay, rate = line.said = line.words(0.0)
            yield f"qdisc add dev {line.interface} root handle 1: netem {delay}"
            yield f"qdisc add dev {line.interface} parent 1:1 handle 10: tbf {rate}"
        ways = {(line.network, line.replica): line for line in self._lines if not line.is_down}
        for place in self._plan.places:
            for port in place.ports:
                line = ways.get((port.network, place.name)) or ways[port.network, ""]
                yield f"qdisc add dev {port.hub_interface} ingress"
                # ARP goes by the bridge at once.
                for number, protocol in enumerate(("ip", "ipv6"), 1):
                    yield (
                        f"filter add dev {port.hub_interface} parent ffff: protocol {protocol}"
                        f" prio {number} u32 match u32 0 0"
                        f" action mirred egress redirect dev {line.interface}"
                    )

    # How they are kept

    def run(self) -> None:
        """Until SIGTERM. On SIGUSR1, the links' schedules begin."""
        signal.signal(signal.SIGUSR1, lambda number, frame: self._begin())
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        program = tc.find("tc") or "tc"
        with subprocess.Popen([program, "-force", "-batch", "-"], stdin=subprocess.PIPE) as setter:  # noqa: S603 - the words are ours
            try:
                self._run(setter)
            finally:
                self._report()
                setter.kill()

    def _run(self, setter: "subprocess.Popen[bytes]") -> None:
        poll = select.epoll()
        for descriptor in self._counters:
            poll.register(descriptor, select.EPOLLIN)
        step_at = report_at = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= step_at:
                self._step(now, setter)
                step_at = now + STEP_SECONDS
            if now >= report_at:
                self._report()
                report_at = now + REPORT_SECONDS
            for descriptor, _ in poll.poll(max(0.0, step_at - time.monotonic())):
                self._counters[descriptor].count(self._traffic)

    def _begin(self) -> None:
        self._begun_at = time.monotonic()
        for line in self._lines:
            line.next_change = 0.0

    def _step(self, now: float, setter: "subprocess.Popen[bytes]") -> None:
        """Tell netem and tbf what is different now."""
        commands = ""
        seconds = -1.0 if self._begun_at is None else now - self._begun_at
        if any(seconds >= line.next_change for line in self._lines):
            self._count_drops()
        for line in self._lines:
            if seconds >= line.next_change:
                line.set(seconds, self._seed)
            words = line.words(now - self._start)
            if words == line.said:
                continue
            if words[0] != line.said[0]:
                commands += f"qdisc change dev {line.interface} handle 1: root netem {words[0]}\n"
            if words[1] != line.said[1]:
                commands += (
                    f"qdisc change dev {line.interface} parent 1:1 handle 10: tbf {words[1]}\n"
                )
            line.said = words
        if commands and setter.stdin is not None:
            setter.stdin.write(commands.encode())
            setter.stdin.flush()

    # What they say

    def _report(self) -> None:
        self._count_drops()
        lost = sum(missed(counter.socket) for counter in self._counters.values())
        self._tell(Report(self._traffic.take(), 0.0, lost))

    def _count_drops(self) -> None:
        """netem's drops are those of tbf, too."""
        program = tc.find("tc") or "tc"
        done = subprocess.run(  # noqa: S603 - the words are ours
            [program, "-s", "-j", "qdisc", "show"], capture_output=True, check=False
        )
        found: dict[str, dict[str, int]] = {}
        for each in json.loads(done.stdout or b"[]"):
            found.setdefault(each["dev"], {})[each["kind"]] = each.get("drops", 0)
        for line in self._lines:
            drops = found.get(line.interface, {})
            queue = drops.get("tbf", 0)
            self._count(line, Fate.QUEUE, queue - line.dropped.get(Fate.QUEUE, 0))
            lost = drops.get("netem", 0) - queue
            known = line.dropped.get(Fate.LOSS, 0) + line.dropped.get(Fate.OUTAGE, 0)
            # What no loss was asked for was lost before an outage ended.
            is_loss = line.now.is_up and line.now.loss_percent
            self._count(line, Fate.LOSS if is_loss else Fate.OUTAGE, lost - known)

    def _count(self, line: Line, why: Fate, more: int) -> None:
        if more > 0:
            line.dropped[why] = line.dropped.get(why, 0) + more
            ends = ("", line.replica) if line.is_down else (line.replica, "")
            self._traffic.dropped(line.network, *ends, "other", why, more)
