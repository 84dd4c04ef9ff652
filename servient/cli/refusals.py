"""What went wrong at the other end, as one sentence that says what to do."""

import ssl
from collections.abc import Mapping
from typing import Any

from servient.cli.output import CommandFailed, ExitCode


def refusal(status: int, problem: Mapping[str, Any]) -> CommandFailed:
    """What a Problem Details object says, and what to do about it."""
    detail = str(problem.get("detail") or problem.get("error") or problem.get("title") or "")
    match status:
        case 401:
            return CommandFailed(
                f"credentials are wanted ({detail}): give a token as WASM_SERVIENT_TOKEN or --token",
                ExitCode.UNAUTHORIZED,
            )
        case 403:
            return CommandFailed(
                f"the credentials do not allow it: {detail}", ExitCode.UNAUTHORIZED
            )
        case 413:
            return CommandFailed(
                f"too large: {detail}; a servient takes more with higher limits, which are its settings"
                " deploy_limit_bytes over HTTP and body_limit_bytes"
            )
    return CommandFailed(detail or f"refused with the status {status}")


def unreachable(where: str, reason: str, error: Exception, advice: str = "") -> CommandFailed:
    """Nobody answers there; `reason` is what the operating system or the library says."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CommandFailed(
                f"the certificate of {where} is not trusted ({cause.verify_message}): name whom to"
                " trust as --ca FILE",
                ExitCode.UNREACHABLE,
            )
        cause = cause.__cause__ or cause.__context__
    return CommandFailed(f"no answer from {where} ({reason}){advice}", ExitCode.UNREACHABLE)
