"""The live view: in place on a terminal, elsewhere only what changes."""

import io

from rich.console import Console

from emulation.embedded.board import Board, Status
from emulation.live import LiveView
from emulation.metrics.records import State


def board() -> Board:
    found = Board({name: Status(name) for name in ("server", "reader")})
    found.changed("server", State.STARTED)
    found.changed("server", State.READY)
    found.changed("reader", State.STARTED)
    found.changed("reader", State.CRASHED, "exit status 1: MemoryError")
    found.figures("server", interactions=12, errors=3, events=4)
    found.packets, found.data_bytes, found.dropped = 120, 9_000, 7
    return found


def shown(*, is_terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=is_terminal, width=140, color_system=None)
    with LiveView(console, 60) as view:
        view.begin()
        view.show(board())
        view.show(board())
    return file.getvalue()


def test_a_terminal_shows_replicas_and_what_networks_carry() -> None:
    text = shown(is_terminal=True)
    for word in ("server", "ready", "12", "crashed", "exit status 1: MemoryError"):
        assert word in text
    assert "of 60 s   120 packets, 0.01 MB, 7 dropped" in text


def test_elsewhere_each_change_is_told_once() -> None:
    lines = shown(is_terminal=False).splitlines()
    assert lines == ["server: ready", "reader: crashed exit status 1: MemoryError"]
