"""`python -m tests.fuzz --count N`: N inputs over all parsers."""

import argparse
import sys
import time

from tests.fuzz.parsers import PARSERS
from tests.fuzz.run import run


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    arguments.add_argument("--count", type=int, default=20_000, help="inputs, over all parsers")
    arguments.add_argument("--seed", type=int, default=0, help="other inputs for another number")
    arguments.add_argument("--parser", choices=[parser.name for parser in PARSERS], action="append")
    given = arguments.parse_args()
    parsers = [each for each in PARSERS if not given.parser or each.name in given.parser]
    began, is_good, total = time.monotonic(), True, 0
    for parser in parsers:
        report = run(parser, given.count // len(parsers) + 1, given.seed)
        total += report.accepted + report.refused + len(report.failures)
        print(report, *report.failures, sep="\n  ", flush=True)
        is_good = is_good and report.is_good
    print(f"{total} inputs in {time.monotonic() - began:.0f} s: {'good' if is_good else 'FAILED'}")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
