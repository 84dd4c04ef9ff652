"""Pictures of 1 and 5 MB in, their grey ones out: as the body of a request and of its answer."""

import http.client
import statistics
import time
from typing import Any
from urllib.parse import urlsplit

from benchmarks.peers.deploying import deploy, manifest_of, serving
from benchmarks.peers.servient import servient

MEGABYTE = 1_000_000
PATH = "/things/pictures:grayscale/actions/grayscale"
WIDTH = 1000


def measure(megabytes: tuple[int, ...], times: int) -> dict[str, Any]:
    """Milliseconds of an invocation, and what the servient's memory peaked at. Results are checked."""
    with serving() as origin, servient() as asked:
        deploy(asked.http, manifest_of("grayscale", origin, "pictures"))
        url = urlsplit(asked.http)
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
        found: dict[str, Any] = {}
        for size in megabytes:
            rows = size * MEGABYTE // (3 * WIDTH)
            picture = b"P6\n%d %d\n255\n" % (WIDTH, rows) + bytes(range(256)) * (
                3 * WIDTH * rows // 256 + 1
            )
            picture = picture[: len(b"P6\n%d %d\n255\n" % (WIDTH, rows)) + 3 * WIDTH * rows]
            spent = [_turn_grey(connection, picture, WIDTH * rows) for _ in range(times)]
            found[f"{size}_mb_ms"] = statistics.median(spent)
        found["peak_mb"] = asked.process.peak_memory_bytes / 1e6
        return found


def _turn_grey(connection: http.client.HTTPConnection, picture: bytes, pixels: int) -> float:
    began = time.perf_counter()
    headers = {"Content-Type": "image/x-portable-pixmap"}
    connection.request("POST", PATH, picture, headers)
    answer = connection.getresponse()
    grey = answer.read()
    spent = (time.perf_counter() - began) * 1e3
    if answer.status != 200 or not grey.startswith(b"P5") or len(grey) < pixels:
        raise RuntimeError(f"{answer.status}: {grey[:200]!r}")
    return spent
