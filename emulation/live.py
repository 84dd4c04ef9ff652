"""The live view of a run in a terminal: replicas, what they do, and what the networks carry."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from emulation.embedded.board import Board, Status

REFRESH_SECONDS = 0.5
STYLES = {"ready": "green", "started": "yellow", "waiting": "dim", "crashed": "red", "ended": "dim"}


class LiveView:
    """Shows a board while its block lasts: in place on a terminal, elsewhere only changes of state."""

    def __init__(self, console: Console, seconds: float | None) -> None:
        self._console = console
        self._seconds = seconds
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._begun_at = time.monotonic()
        self._shown_at = 0.0
        self._before: dict[str, tuple[float, int]] = {}
        self._rates: dict[str, float] = {}
        self._states: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def begin(self) -> None:
        """All are ready: time counts from now."""
        self._begun_at = time.monotonic()

    def show(self, board: Board) -> None:
        now = time.monotonic()
        if not self._console.is_terminal:
            self._tell_changes(board)
        elif now - self._shown_at >= REFRESH_SECONDS:
            self._shown_at = now
            self._live.update(self._picture(board, now), refresh=True)

    def _tell_changes(self, board: Board) -> None:
        for status in board.statuses.values():
            state = (status.state, status.starts)
            if status.starts and self._states.get(status.name) != state:
                self._states[status.name] = state
                self._console.print(f"{status.name}: {status.state} {status.detail}".rstrip())

    def _picture(self, board: Board, now: float) -> Group:
        table = Table(box=None, pad_edge=False)
        for title in ("replica", "state", "starts"):
            table.add_column(title)
        for title in ("interactions", "per second", "errors", "events"):
            table.add_column(title, justify="right")
        table.add_column("")
        for status in board.statuses.values():
            table.add_row(
                status.name,
                Text(status.state, STYLES.get(status.state, "")),
                str(status.starts),
                str(status.interactions),
                f"{self._rate(status, now):.1f}",
                Text(str(status.errors), "red" if status.errors else ""),
                str(status.events),
                status.detail[:60],
            )
        limit = f" of {self._seconds:g}" if self._seconds else ""
        foot = (
            f"{now - self._begun_at:.0f}{limit} s   {board.packets} packets,"
            f" {board.data_bytes / 1e6:.2f} MB, {board.dropped} dropped"
            f"   latest frame {board.lateness_seconds * 1000:.1f} ms after it was due"
        )
        return Group(table, Text(foot, "dim"))

    def _rate(self, status: Status, now: float) -> float:
        before = self._before.get(status.name)
        if before is None or now - before[0] >= 1.0:
            self._before[status.name] = (now, status.interactions)
            if before is not None:
                rate = (status.interactions - before[1]) / (now - before[0])
                self._rates[status.name] = rate
        return self._rates.get(status.name, 0.0)
