"""The orchestrator that this servient works for."""

from collections.abc import Mapping

from pydantic import Field, SecretStr

from servient.config.section import Section, WebUrl, also


class OrchestratorSettings(Section):
    """Where it is, what it hears, and the chains of functions that it sets up."""

    orchestrator_url: WebUrl | None = Field(
        None,
        description="The orchestrator to register with and to send logs to; one that finds the"
        " servient says where it is by itself.",
        validation_alias=also("orchestrator_url", "WASMIOT_ORCHESTRATOR_URL"),
    )
    register_renewal_seconds: float = Field(
        900.0,
        gt=0,
        description="After how long without a health check the servient registers again.",
        validation_alias=also("register_renewal_seconds", "WASMIOT_REGISTER_RENEWAL_TIME"),
    )
    external_logging: bool = Field(
        True,
        description="Whether the orchestrator gets logs of deployments and executions.",
        validation_alias=also("external_logging", "EXTERNAL_LOGGING_ENABLED"),
    )
    chain_timeout_seconds: float = Field(
        45.0,
        gt=0,
        le=3600,
        description="The deadline of the next step of a chain, with all the steps after it.",
    )
    chain_tokens: Mapping[str, SecretStr] = Field(
        {}, description="Bearer tokens for the next steps of chains, by their origins; JSON."
    )
