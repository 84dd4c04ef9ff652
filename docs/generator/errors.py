"""Every error that a consumer may get, as the Problem Details that it is."""

from collections.abc import Iterator

from docs.generator.markdown import code, page, table, words
from servient.errors import ServientError, problem

INTRODUCTION = """\
What the servient refuses, or fails to do, is answered with Problem Details (RFC 9457) on every protocol:
`application/problem+json` over HTTP, CoAP and MQTT 5, the member `error` over WebSockets. `type` and
`title` say which of these it is, `detail` in a sentence why, `instance` where; `errors` names single
members of an input by their JSON pointers, and `retryAfterSeconds` says when to try again."""


def errors() -> str:
    rows = (
        (str(each.status), each.title, code(problem(each(""))["type"]), words(each.__doc__ or ""))
        for each in sorted(_all(ServientError), key=lambda each: (each.status, each.title))
    )
    return page("Errors", INTRODUCTION, table(("status", "title", "type", "means"), rows))


def _all(error: type[ServientError]) -> Iterator[type[ServientError]]:
    """Those of servient/errors.py: each once, whatever else extends them."""
    if error is not ServientError and error.__module__ == ServientError.__module__:
        yield error
    for each in error.__subclasses__():
        yield from _all(each)
