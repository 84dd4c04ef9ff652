"""`python -m tests.soak`: prints what was done and what it took; fails when something is wrong."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.soak.run import soak


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m tests.soak", description="Everything at once for a while."
    )
    arguments.add_argument("--seconds", type=float, default=900)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(soak(Path(folder), given.seconds, given.seed))
    faults = report.faults()
    print(report, *faults, "FAILED" if faults else "good", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
