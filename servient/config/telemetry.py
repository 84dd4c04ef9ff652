"""What the servient tells whoever looks after it."""

from typing import Literal

from pydantic import Field

from servient.config.section import Section, WebUrl, also


class TelemetrySettings(Section):
    """Its log, and traces of invocations."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How: as text for people, or each entry as one line of JSON."
    )
    otlp_endpoint: WebUrl | None = Field(
        None,
        description="The collector of OpenTelemetry that gets traces of invocations, over OTLP and HTTP;"
        " needs the extra otel. The variables OTEL_… say the rest, such as what is left out.",
        validation_alias=also("otlp_endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    )
