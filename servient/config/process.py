"""The servient as a program."""

from typing import Literal

from pydantic import Field

from servient.config.section import Section


class ProcessSettings(Section):
    """What it logs, and how it stops."""

    drain_seconds: float = Field(
        10.0,
        ge=0,
        le=3600,
        description="How long invocations may go on when the servient is told to stop.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged."
    )
