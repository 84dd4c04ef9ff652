"""Who may come in, from settings, for each binding. What could not be checked is an error at start."""

import logging
from pathlib import Path

from servient.bindings.mqtt.access import PASSWORD, BrokerAccess
from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.bindings.mqtt.doorkeeper import Doorkeeper, Member
from servient.bindings.mqtt.topics import Topics
from servient.config import Config, ConfigError, IssuerSettings, is_loopback
from servient.security.accounts import Accounts
from servient.security.authenticator import Authenticator, TokenIssuer
from servient.security.certificate import Certificate
from servient.security.from_settings import to_accounts, to_principal
from servient.security.orchestrator_address import OrchestratorAddress
from servient.wot.access import Policy, Principal, Scope

logger = logging.getLogger(__name__)


class Entrance:
    """Open to everybody as long as no credentials are configured. Raises ConfigError."""

    def __init__(self, config: Config) -> None:
        self._config = config
        try:
            self._guests = self._find_guests()
            self._accounts = self._read_accounts()
            issuers = tuple(_to_issuer(each) for each in config.issuers)
            self.certificate = self._read_certificate()
        except ValueError as error:
            raise ConfigError(str(error)) from error
        self.policy = Policy(is_open=not config.has_credentials)
        self._authenticator = (
            None if self.policy.is_open else Authenticator(self._accounts, issuers)
        )
        self.doorkeeper = self._make_doorkeeper()
        self._check()

    # For each binding

    def authenticator(
        self, orchestrator: OrchestratorAddress | None = None
    ) -> Authenticator | None:
        """For HTTP and WebSockets; with `orchestrator`, that one needs no credentials over HTTP."""
        if self._authenticator is not None and self._config.trust_orchestrator:
            self._authenticator.orchestrator = orchestrator
        return self._authenticator

    @property
    def oscore(self) -> dict[Path, Principal] | None:
        """Folders of security contexts for CoAP, None where it is open."""
        if self.policy.is_open:
            return None
        return {each.oscore: each.principal for each in self._accounts if each.oscore}

    def broker_access(self, embedded: EmbeddedBroker | None) -> BrokerAccess | None:
        """What the broker, our own or another one, has checked; None where it is open."""
        if self.doorkeeper is not None and embedded is not None:
            keeper = self.doorkeeper
            return BrokerAccess(keeper.principal, PASSWORD, embedded.admit, keeper.principals)
        return BrokerAccess(self._guests) if self._guests is not None else None

    # From settings

    def _find_guests(self) -> Principal | None:
        """Whom everybody is that another broker lets in."""
        name = self._config.mqtt_principal
        found = [each for each in self._config.principals if each.name == name]
        if name is not None and not found:
            raise ValueError(f"mqtt_principal: there is no principal {name!r}")
        return to_principal(found[0]) if found else None

    def _read_accounts(self) -> Accounts:
        return to_accounts(
            each
            for each in self._config.principals
            if each.has_credentials or each.name != self._config.mqtt_principal
        )

    def _read_certificate(self) -> Certificate | None:
        certificate, key = self._config.tls_certificate, self._config.tls_key
        return Certificate(certificate, key) if certificate and key else None

    def _make_doorkeeper(self) -> Doorkeeper | None:
        config = self._config
        if self.policy.is_open or "mqtt" not in config.bindings or config.mqtt_broker:
            return None
        members = [
            Member(each.principal, each.mqtt_password)
            for each in self._accounts
            if each.mqtt_password
        ]
        return Doorkeeper(members, Topics(config.topic_prefix))

    # What could not be checked

    def _check(self) -> None:
        config = self._config
        if self._authenticator is None:
            self._check_open()
            return
        for name in config.bindings:
            reason = self._why_not(name)
            if reason:
                raise ConfigError(f"bindings: {name} {reason}; or leave {name} out of `bindings`")

    def _check_open(self) -> None:
        config = self._config
        if config.mqtt_principal is not None:
            raise ConfigError(
                "mqtt_principal: no credentials are configured for the other bindings"
            )
        if not is_loopback(config.host):
            logger.warning(
                "everybody who reaches %s may deploy modules to this machine and run them:"
                " it is --insecure",
                config.host,
            )

    def _why_not(self, binding: str) -> str:
        """Why nobody could come in over a binding, or anybody; empty when all is well."""
        config, authenticator = self._config, self._authenticator
        has_schemes = authenticator is not None and bool(authenticator.schemes)
        match binding:
            case "http" if not (has_schemes or config.trust_orchestrator):
                return "needs a principal with a token, a key or a password, or an issuer"
            case "websocket" if not has_schemes:
                return "needs a principal with a token, a key or a password, or an issuer"
            case "coap" if not self.oscore:
                return "needs a principal with `oscore`: it takes no other credentials"
            case "mqtt":
                return self._why_not_mqtt()
        return ""

    def _why_not_mqtt(self) -> str:
        config = self._config
        if config.mqtt_broker:
            return "" if self._guests else "on a broker of others needs `mqtt_principal`"
        if config.mqtt_principal is not None:
            return "has a private broker, which knows its principals: leave out `mqtt_principal`"
        if config.embedded_broker == "amqtt":
            return "needs mosquitto: amqtt cannot check who may do what"
        if not any(each.mqtt_password for each in self._accounts):
            return "needs a principal with `mqtt_password`"
        return ""


def _to_issuer(settings: IssuerSettings) -> TokenIssuer:
    """Raises ValueError."""
    # Here, since few servients have an issuer, and what reads its tokens takes a while to import.
    from servient.security.jwt import JwtIssuer, Terms  # noqa: PLC0415
    from servient.security.key_set import FixedKey, KeySet  # noqa: PLC0415

    terms = Terms(
        settings.issuer,
        settings.audience,
        settings.algorithms,
        frozenset(map(Scope, settings.scopes)),
        settings.scope_prefix,
        settings.things_claim,
        settings.leeway_seconds,
    )
    if settings.jwks_url is not None:
        return JwtIssuer(terms, KeySet(settings.jwks_url))
    if settings.key_file is None:
        raise ValueError(f"issuer {settings.issuer!r} needs jwks_url or key_file")
    return JwtIssuer(terms, FixedKey(settings.key_file))
