"""Who has changed what this machine runs, for whoever has to answer for it: no secrets, no contents."""

import logging

from servient.wot.access import acting, acting_from

logger = logging.getLogger("servient.audit")


def audit(event: str, subject: str, outcome: str = "done") -> None:
    """`event` is a word such as "deploy", `subject` what it is about, as anybody may have named it."""
    principal = acting()
    who = principal.name if principal is not None else None
    logger.info(
        "%s %.200r by %r from %s: %s", event, subject, who, acting_from() or "unknown", outcome
    )
