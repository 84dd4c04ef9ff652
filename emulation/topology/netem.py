"""A network's conditions in netem's words, as WoTemu takes them."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from emulation.errors import InvalidTopology
from emulation.topology.link import Link

UNITS = {"bit": 0.001, "kbit": 1.0, "mbit": 1_000.0, "gbit": 1_000_000.0}
NAMES = {
    ("delay", "time"): "latency_ms",
    ("delay", "jitter"): "jitter_ms",
    ("loss", "percent"): "loss_percent",
    ("loss", "correlation"): "loss_correlation_percent",
    ("duplicate", "percent"): "duplication_percent",
}
# A correlation of delays is netem's own measure; a distribution is always normal here.
IGNORED = {("delay", "distribution"), ("delay", "correlation"), ("duplicate", "correlation")}


def to_link(arguments: Iterable[str]) -> Link:
    """The link that these arguments ask for. Raises InvalidTopology, naming the argument."""
    link = Link()
    for text in arguments:
        command, *words = shlex.split(text)
        pairs = re.findall(r"--([a-z]+)[= ](\S+)", " ".join(words))
        if not words or len(" ".join(f"--{k} {v}" for k, v in pairs).split()) != len(
            " ".join(words).replace("=", " ").split()
        ):
            raise InvalidTopology(f"netem {text!r} is not understood")
        for name, value in pairs:
            link = replace(link, **_setting(text, command, name, value))
    return link


def _setting(text: str, command: str, name: str, value: str) -> dict[str, Any]:
    if (command, name) == ("rate", "rate"):
        match = re.fullmatch(r"([0-9.]+)([kmg]?bit)", value)
        if match is None:
            raise InvalidTopology(f"netem {text!r}: a rate is a number and bit, kbit, mbit or gbit")
        return {"rate_kbit": float(match[1]) * UNITS[match[2]]}
    if (command, name) in IGNORED:
        return {}
    if (command, name) not in NAMES:
        raise InvalidTopology(f"netem {text!r} is not understood")
    try:
        return {NAMES[command, name]: float(value)}
    except ValueError as error:
        raise InvalidTopology(f"netem {text!r}: {value!r} is not a number") from error
