"""Every deliberate error, with the HTTP status and title of its answer, and the one body they all get.

The body is a Problem Details object (RFC 9457) on every binding; a binding only maps the status to
its own codes. A new error is two lines: its base decides the status, its docstring when it is raised.
"""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

PROBLEM_MEDIA_TYPE = "application/problem+json"
PROBLEM_TYPE_PREFIX = "urn:wasm-servient:problem:"


class ServientError(Exception):
    """Something that the servient refuses or failed to do, for a reason that it can name.

    `detail` is one sentence for the person at the other end: what, which and why, never a secret.
    `faults` name single members of an input, each as {"pointer": <JSON pointer>, "detail": <text>}.
    `notes` are for the invocation's record alone: texts by their names, such as what a module printed.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    # After how long it makes sense to try again, where it does.
    retry_after_seconds: ClassVar[int | None] = None

    def __init__(self, detail: str, faults: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)
        self.notes: dict[str, str] = {}


class InvalidInput(ServientError):
    """What the client sent cannot be used."""

    status = 400
    title = "Invalid input"


class ManifestRejected(InvalidInput):
    """A deployment manifest is malformed or asks for what a module does not offer."""

    title = "Manifest rejected"


class ModuleRejected(InvalidInput):
    """Bytes are not a WebAssembly module that can run here."""

    title = "Module rejected"


class FetchFailed(InvalidInput):
    """A file that a manifest names could not be fetched."""

    title = "Fetch failed"


class Unauthorized(ServientError):
    """Credentials are missing or wrong."""

    status = 401
    title = "Unauthorized"


class Forbidden(ServientError):
    """The credentials do not allow this."""

    status = 403
    title = "Forbidden"


class NotFound(ServientError):
    """There is no such Thing, affordance, deployment or file."""

    status = 404
    title = "Not found"


class NoValue(NotFound):
    """The property exists and has no value yet."""

    title = "No value yet"


class OperationNotAllowed(ServientError):
    """The affordance exists and does not offer this operation."""

    status = 405
    title = "Operation not allowed"


class NotAcceptable(ServientError):
    """There is no representation of the kind that the client accepts."""

    status = 406
    title = "Not acceptable"


class Conflict(ServientError):
    """The request contradicts the present state."""

    status = 409
    title = "Conflict"


class TooLarge(ServientError):
    """A body, message or file is over its limit."""

    status = 413
    title = "Too large"


class UnsupportedContent(ServientError):
    """No codec for this media type, or the affordance does not take it."""

    status = 415
    title = "Unsupported content"


class ActionFailed(ServientError):
    """An action's handler failed."""

    title = "Action failed"


class PropertyFailed(ServientError):
    """A property's handler failed."""

    title = "Property failed"


class ModuleTrapped(ActionFailed):
    """The WebAssembly code trapped; its instance is replaced and its state is lost."""

    title = "Module trapped"


class ModuleExited(ActionFailed):
    """The WebAssembly code ended its own instance; the instance is replaced."""

    title = "Module exited"


class NextStepFailed(ServientError):
    """The next step of a chain failed, cannot be reached or gives no answer that can be used."""

    status = 502
    title = "Next step failed"


class TooManyRequests(ServientError):
    """A client has tried too often; trying again later may succeed."""

    status = 429
    title = "Too many requests"
    retry_after_seconds = 10


class Busy(ServientError):
    """A queue is full; trying again later may succeed."""

    status = 503
    title = "Busy"
    retry_after_seconds = 1


class DeadlineExceeded(ServientError):
    """An invocation ran longer than its deadline allows."""

    status = 504
    title = "Deadline exceeded"


class StorageFailed(ServientError):
    """What has to be kept cannot be: the disk is full, for example."""

    status = 507
    title = "Storage failed"


def problem_name(kind: type[ServientError]) -> str:
    """What tells a kind of error from others in a word, such as "module-trapped"."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()


def problem(error: ServientError, instance: str | None = None) -> dict[str, Any]:
    """The Problem Details object of an error (RFC 9457 section 3.1).

    `instance` is the path of the request or of the invocation that failed.
    """
    body: dict[str, Any] = {
        "type": PROBLEM_TYPE_PREFIX + problem_name(type(error)),
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    if instance:
        body["instance"] = instance
    if error.retry_after_seconds is not None:
        body["retryAfterSeconds"] = error.retry_after_seconds
    if error.faults:
        body["errors"] = list(error.faults)
    return body
