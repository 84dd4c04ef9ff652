"""Our servient beside what a user would pick instead, on every wire, in one run.

    python -m benchmarks.wires [--seconds N] [--rounds N] [--wires http …] [--plots FOLDER] [--json]

node-wot, plain WoTPy and ours call the same module; the hello worlds and echoes of the servers and
clients below show the ceiling of each wire. See benchmarks/README.md for how to read the figures.
"""

import argparse
import contextlib
import importlib
import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.measuring import measure
from benchmarks.peers import others
from benchmarks.peers.broker import mosquitto
from benchmarks.peers.contender import Case, Contender, Operation, Wire
from benchmarks.peers.deploying import serving
from benchmarks.peers.servient import ours

CONCURRENCIES = (1, 16, 64)


def main() -> None:
    arguments = parse_arguments()
    with contextlib.ExitStack() as stack:
        contenders = start(stack, arguments.wires)
        points = measure(
            contenders,
            cases(arguments.wires, arguments.operations),
            arguments.concurrency,
            seconds=arguments.seconds,
            rounds=arguments.rounds,
            tell=lambda text: print(f"... {text}", file=sys.stderr, flush=True),
        )
    titles = {contender.name: contender.title for contender in contenders}
    print(report.tables(points, titles))
    if arguments.plots:
        # Here, since matplotlib is for those who want plots: `pip install -e .[benchmark]`.
        importlib.import_module("benchmarks.plots").draw(points, titles, arguments.plots)
    if arguments.json:
        print(json.dumps(report.document(points)))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    wires, operations = [each.value for each in Wire], [each.value for each in Operation]
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement (2)")
    parser.add_argument("--rounds", type=int, default=3, help="in which each has its turn (3)")
    parser.add_argument("--wires", nargs="+", choices=wires, default=wires)
    parser.add_argument("--operations", nargs="+", choices=operations, default=operations)
    parser.add_argument("--concurrency", nargs="+", type=int, default=CONCURRENCIES)
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw one plot per protocol")
    parser.add_argument("--json", action="store_true", help="print one line of JSON at the end")
    return parser.parse_args()


def cases(wires: Sequence[str], operations: Sequence[str]) -> list[Case]:
    return [(Wire(wire), Operation(each)) for wire, each in itertools.product(wires, operations)]


def start(stack: contextlib.ExitStack, wires: Sequence[str]) -> list[Contender]:
    """All that have something to say on these wires; one that cannot be started is left out."""
    origin = stack.enter_context(serving())
    _, broker_port = stack.enter_context(mosquitto())
    contenders = [stack.enter_context(ours(origin, broker_port))]
    makers = [
        others.node_wot(broker_port),
        others.plain_wotpy(broker_port),
        others.uvicorn(),
        others.tornado(),
        others.aiocoap(),
        others.paho(broker_port),
        others.raw(broker_port),
    ]
    for maker in makers:
        try:
            contender = stack.enter_context(maker)
        except (LookupError, RuntimeError) as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        if any(wire in wires for wire, _ in contender.targets):
            contenders.append(contender)
    return contenders


if __name__ == "__main__":
    main()
