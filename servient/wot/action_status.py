"""Invocations as consumers see them: ActionStatus objects (WoT Profile, section 5.2.2)."""

from servient.errors import problem
from servient.wot.content import Value, to_plain
from servient.wot.invocation import Invocation


async def to_full_status(invocation: Invocation, href: str) -> dict[str, Value]:
    """With what is in the files of its output, which may have to be read, and what was printed."""
    status = {**invocation.notes, **to_status(invocation, href)}
    if "output" in status:
        status["output"] = to_plain(await invocation.result())
    return status


def to_status(invocation: Invocation, href: str) -> dict[str, Value]:
    """`href` is where the status can be asked for again; times are in RFC 3339."""
    status: dict[str, Value] = {
        "status": invocation.status.value,
        "href": href,
        "timeRequested": invocation.requested_at.isoformat(),
    }
    if invocation.ended_at is not None:
        status["timeEnded"] = invocation.ended_at.isoformat()
    if invocation.output is not None:
        status["output"] = to_plain(invocation.output)
    if invocation.error is not None:
        status["error"] = problem(invocation.error, href)
    return status
