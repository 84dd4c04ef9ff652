"""HTTP requests by wrk, which keeps as many connections busy as are wanted."""

import json
import math
import resource
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.load.tally import Load
from benchmarks.load.targets import HttpTarget

SCRIPT = Path(__file__).with_name("wrk.lua")


def run(target: HttpTarget, concurrency: int, seconds: float) -> Load:
    """wrk knows whole seconds only. Raises LookupError without wrk."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise LookupError("wrk is not installed: apt-get install wrk")
    url = urlsplit(target.url)
    path = url.path + (f"?{url.query}" if url.query else "")
    command = (
        *(wrk, "-t1", f"-c{concurrency}", f"-d{math.ceil(seconds)}s", "--timeout", "20s"),
        *("-s", str(SCRIPT), f"{url.scheme}://{url.netloc}", "--"),
        *(target.method, target.body, target.expected, path, "follows" if target.follows else "no"),
    )
    before, began = _cpu_seconds(), time.perf_counter()
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    cpu = (_cpu_seconds() - before) / (time.perf_counter() - began)
    if ended.returncode:
        raise RuntimeError(f"wrk failed: {ended.stderr.strip() or ended.stdout.strip()}")
    return Load(**json.loads(ended.stdout.strip().splitlines()[-1]), generator_cpu=cpu)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
