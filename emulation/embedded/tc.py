"""Links in the words of `tc`: netem delays and loses packets, tbf behind it has the rate and the queue."""

import math
import shutil
import subprocess
from collections.abc import Iterable

from emulation.embedded.shaper import queue_of
from emulation.topology.link import Jitter, Link

COMMAND_SECONDS = 10.0
# Delayed packets wait in netem; what has no room is dropped by tbf, by bytes.
NETEM_PACKETS = 1_000_000
# netem keeps packets in their order where it has a rate of its own (sch_netem.c).
ORDERLY_RATE = "10gbit"
UNLIMITED_KBIT = 10_000_000.0
LEAST_BURST_BYTES, BURST_SECONDS = 3_200, 0.01
LEAST_QUEUE_BYTES, MOST_QUEUE_BYTES = 4_000, 2**28


class TcFailed(OSError):
    """tc or ip does not do what it was asked for."""


def netem(link: Link, delay_seconds: float, share: float = 1.0) -> str:
    """What `qdisc … netem` is followed by, for a link at one moment (tc-netem(8)).

    `share` is the part of delay and loss that is owed to this line: 0.5 for that of one end.
    """
    words = [f"limit {NETEM_PACKETS}"]
    if not link.is_up:
        return f"{words[0]} loss 100%"
    words.append(f"delay {delay_seconds * 1000:.3f}ms")
    if link.jitter is Jitter.CORRELATED:
        words.append(f"rate {ORDERLY_RATE}")
    elif link.jitter_ms and link.latency_ms:
        words[-1] += f" {link.jitter_ms * math.sqrt(share):g}ms distribution normal"
    loss = 1 - (1 - link.loss_percent / 100) ** share
    if loss:
        words.append(_loss(loss, link.loss_correlation_percent / 100))
    if link.duplication_percent:
        words.append(f"duplicate {link.duplication_percent:g}%")
    return " ".join(words)


def _loss(loss: float, correlation: float) -> str:
    """Gilbert's model: a packet shares the fate of the one before, or has one of its own."""
    begins, ends = (1 - correlation) * loss, (1 - correlation) * (1 - loss)
    return f"loss gemodel {begins * 100:.6f}% {ends * 100:.6f}%"


def tbf(link: Link, rate_kbit: float | None) -> str:
    """What `qdisc … tbf` is followed by (tc-tbf(8))."""
    rate = rate_kbit or UNLIMITED_KBIT
    queue = max(queue_of(link, rate_kbit), LEAST_QUEUE_BYTES) if rate_kbit else MOST_QUEUE_BYTES
    burst = max(LEAST_BURST_BYTES, int(rate * 125 * BURST_SECONDS))
    return f"rate {rate * 1000:.0f}bit burst {burst} limit {max(queue, burst)}"


def run(program: str, commands: Iterable[str]) -> None:
    """Have `ip` or `tc` carry out commands, all or up to the first that fails. Raises TcFailed."""
    path = find(program)
    if path is None:
        raise TcFailed(f"{program} is not installed")
    text = "".join(f"{command}\n" for command in commands)
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours
            [path, "-batch", "-"],
            input=text,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TcFailed(f"{program} did not end within {COMMAND_SECONDS:g} s") from error
    if done.returncode:
        reason = done.stderr.strip().partition("\n")[0].removeprefix("Error: ")
        raise TcFailed(f"{program}: {reason}")


def find(program: str) -> str | None:
    """Not everybody's path has the folder of these."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
