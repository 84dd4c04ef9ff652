"""Runs a load generator in a process of its own, so that what measures does not take its time."""

import json
import subprocess
import sys
from dataclasses import asdict

from benchmarks.load import coap, http, mqtt, websocket
from benchmarks.load.tally import Load
from benchmarks.load.targets import CoapTarget, HttpTarget, MqttTarget, Target, WebSocketTarget

GRACE_SECONDS = 60.0
KINDS: dict[str, type[Target]] = {
    "coap": CoapTarget,
    "websocket": WebSocketTarget,
    "mqtt": MqttTarget,
}


def generate(target: Target, concurrency: int, seconds: float) -> Load:
    """Raises RuntimeError with what the generator said when it failed."""
    if isinstance(target, HttpTarget):
        return http.run(target, concurrency, seconds)
    kind = next(name for name, kind in KINDS.items() if isinstance(target, kind))
    command = [sys.executable, "-m", "benchmarks.load", kind, str(concurrency), str(seconds)]
    ended = subprocess.run(
        command,
        input=json.dumps(asdict(target)),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + GRACE_SECONDS,
    )
    if ended.returncode:
        raise RuntimeError(f"the load generator failed: {ended.stderr.strip()[-500:]}")
    return Load(**json.loads(ended.stdout))


def main(kind: str, concurrency: int, seconds: float) -> None:
    """In the generator's process: the target comes on standard input, the load goes to the output."""
    document = json.load(sys.stdin)
    match KINDS[kind](**document):
        case CoapTarget() as target:
            load = coap.run(target, concurrency, seconds)
        case WebSocketTarget() as target:
            load = websocket.run(target, concurrency, seconds)
        case MqttTarget() as target:
            load = mqtt.run(target, concurrency, seconds)
    print(json.dumps(asdict(load)))
