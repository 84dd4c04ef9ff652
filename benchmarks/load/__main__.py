"""`python -m benchmarks.load KIND CONCURRENCY SECONDS`, the target as JSON on standard input."""

import sys

from benchmarks.load.generator import main

main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
