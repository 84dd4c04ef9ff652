"""Who may come in, and how they know that it is us."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from servient.config.issuer import IssuerSettings
from servient.config.principal import PrincipalSettings
from servient.config.section import Section


class SecuritySettings(Section):
    """Principals, those who speak for others, and the certificate of TLS."""

    principals: tuple[PrincipalSettings, ...] = Field(
        (),
        description="Who may come in, as tables of the configuration file; without any, everybody may"
        " do everything.",
    )
    issuers: tuple[IssuerSettings, ...] = Field(
        (), description="Whose JWTs are taken over HTTP and WebSockets, as tables."
    )
    mqtt_principal: str | None = Field(
        None,
        description="The principal that everybody is whom the broker of `mqtt_broker` lets in: it is"
        " that broker's part to keep them apart.",
    )
    trust_orchestrator: bool = Field(
        False,
        description="Let requests over HTTP from the registered orchestrator's address read, invoke and"
        " deploy without credentials; all others need some.",
    )
    tls_certificate: Path | None = Field(
        None,
        description="The certificate, in PEM, by which HTTP and WebSockets are served over TLS.",
    )
    tls_key: Path | None = Field(None, description="The key of that certificate, in PEM.")

    @model_validator(mode="after")
    def _has_both_or_none(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key are given together")
        return self

    @property
    def has_credentials(self) -> bool:
        """Whether anybody has to show who they are."""
        return bool(self.principals or self.issuers or self.trust_orchestrator)
