"""What is kept on disk."""

from pathlib import Path

from pydantic import Field

from servient.config.section import Section, also


class KeptSettings(Section):
    """Where, and how much of what is over."""

    instance_path: Path = Field(
        Path("instance"),
        description="The folder for what the servient keeps.",
        validation_alias=also("instance_path", "INSTANCE_PATH"),
    )
    history_limit: int = Field(
        1000, ge=1, le=100_000, description="How many invocations that are over are remembered."
    )
    history_age_seconds: float = Field(
        7 * 24 * 3600.0, gt=0, description="How long invocations that are over are remembered."
    )
