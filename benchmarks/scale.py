"""What becomes of our servient with many Things, many subscribers, large files and long computations.

python -m benchmarks.scale [--seconds N] [--rounds N] [--only things …] [--json]
"""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.scaling import deploys, images, interference, starting, subscribers, things

COUNTS = (1, 100, 1000)
MEGABYTES = (1, 5)


def main() -> None:
    arguments = parse_arguments()
    found = {}
    for name, measure in measures(arguments).items():
        if name in (arguments.only or measures(arguments)):
            print(f"... {name}", file=sys.stderr, flush=True)
            found[name] = measure()
            if not arguments.json:
                show(name, found[name])
    if arguments.json:
        print(json.dumps(found))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement (2)")
    parser.add_argument("--rounds", type=int, default=5, help="of each comparison (5)")
    parser.add_argument("--only", nargs="+", metavar="MEASURE", help="some of the measures")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    return parser.parse_args()


def measures(arguments: argparse.Namespace) -> dict[str, Callable[[], dict[str, Any]]]:
    seconds, rounds = arguments.seconds, arguments.rounds
    return {
        "start": lambda: starting.measure(rounds),
        "deploy": lambda: deploys.measure(rounds),
        "images": lambda: images.measure(MEGABYTES, 4 * rounds),
        "interference": lambda: interference.measure(seconds, rounds),
        "subscribers": lambda: subscribers.measure(COUNTS),
        "things": lambda: things.measure(COUNTS, seconds, rounds),
    }


def show(name: str, found: dict[str, Any]) -> None:
    print(name)
    for key, value in found.items():
        if isinstance(value, dict):
            print(f"  {key:>22}  " + ", ".join(f"{k} {v:.3g}" for k, v in value.items()))
        else:
            print(f"  {key:>22}  {value:.4g}")


if __name__ == "__main__":
    main()
