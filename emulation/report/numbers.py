"""Numbers as people read them, and as cells of tables."""

from emulation.report.markup import Cell

_BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_BITS = ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"))


def seconds_text(seconds: float) -> str:
    """Three digits that count: `3.21 ms`, `1.25 s`, `132 s`."""
    if seconds == 0:
        return "0"
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{_three(seconds * 1e3)} ms"
    return f"{_three(seconds)} s"


def bytes_text(count: float) -> str:
    return _scaled(count, _BYTES, "B")


def rate_text(bits_per_second: float) -> str:
    return _scaled(bits_per_second, _BITS, "bit/s")


def share_text(share: float) -> str:
    percent = share * 100
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.2g} %"


def seconds_cell(seconds: float) -> Cell:
    return Cell(seconds_text(seconds), seconds)


def bytes_cell(count: float) -> Cell:
    return Cell(bytes_text(count), count)


def rate_cell(bits_per_second: float) -> Cell:
    return Cell(rate_text(bits_per_second), bits_per_second)


def share_cell(share: float | None, *, is_bad: bool = False) -> Cell | str:
    if share is None:
        return "n/a"
    return Cell(share_text(share), share, "bad" if is_bad else None)


def _three(number: float) -> str:
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    return f"{number:.{digits}f}"


def _scaled(number: float, units: tuple[tuple[float, str], ...], smallest: str) -> str:
    for size, unit in units:
        if number >= size:
            return f"{_three(number / size)} {unit}"
    return f"{number:.0f} {smallest}"
