"""The processes that this one has started."""

import contextlib


def end_children() -> None:
    """At once, and those that they started too."""
    # Here, since it is needed at the very end, and rarely then.
    import psutil  # noqa: PLC0415

    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
