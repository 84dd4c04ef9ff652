"""The one mosquitto that all contenders share."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers.ports import free_port
from benchmarks.peers.process import Process, running

# Without TCP_NODELAY small messages wait for acknowledgements, 40 ms at a time.
_SETTINGS = "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nlog_dest none\n"
# More would be dropped when a client does not keep up: what is measured is who keeps up.


@contextlib.contextmanager
def mosquitto() -> Iterator[tuple[Process, int]]:
    """Raises LookupError when it is not installed."""
    path = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        raise LookupError("mosquitto is not installed: apt-get install mosquitto")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "mosquitto.conf")
        settings.write_text(_SETTINGS.format(port=port))
        with running("mosquitto", [path, "-c", str(settings)], port=port) as process:
            yield process, port
