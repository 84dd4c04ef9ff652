"""The servient as a program."""

from pydantic import Field

from servient.config.section import Section


class ProcessSettings(Section):
    """How it stops."""

    drain_seconds: float = Field(
        10.0,
        ge=0,
        le=3600,
        description="How long invocations may go on when the servient is told to stop.",
    )
