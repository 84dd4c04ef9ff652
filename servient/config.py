"""Typed settings; the only reader of the environment and of the configuration file."""

import ipaddress
import os
import re
import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

BindingName = Literal["http", "websocket", "coap", "mqtt"]
PREFIX = "WASM_SERVIENT_"


class ConfigError(ValueError):
    """Settings that cannot be used, as one sentence for whoever set them."""


def _also(name: str, *aliases: str) -> Any:
    """A setting's own variable, and those that users of a wasmiot supervisor set already."""
    return AliasChoices(name, PREFIX + name.upper(), *aliases)


class PrincipalSettings(BaseModel):
    """Somebody who may come in: hashes of what they show, and what they may do, on which Things.

    `wasm-servient credential` makes such a table. `things` is a pattern of Things' names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9_.@-]{1,64}$")
    scopes: tuple[Literal["read", "invoke", "deploy", "admin"], ...] = Field(min_length=1)
    things: str = Field("*", min_length=1, max_length=256)
    token_sha256: str | None = None
    api_key_sha256: str | None = None
    password_argon2: str | None = None
    mqtt_password: str | None = Field(None, pattern=r"^\$7\$[0-9]{1,7}\$[!-9;-~]+\$[!-9;-~]+$")
    oscore: Path | None = None

    @property
    def has_credentials(self) -> bool:
        kept = (self.token_sha256, self.api_key_sha256, self.password_argon2)
        return any((*kept, self.mqtt_password, self.oscore))


class IssuerSettings(BaseModel):
    """Somebody else who gives out JWTs: what they have to say, and the most that they may allow."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    jwks_url: str | None = None
    key_file: Path | None = None
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    scopes: tuple[Literal["read", "invoke", "deploy", "admin"], ...] = ("read", "invoke")
    scope_prefix: str = ""
    things_claim: str | None = None
    leeway_seconds: float = Field(30.0, ge=0, le=300)

    @model_validator(mode="after")
    def _has_one_key(self) -> "IssuerSettings":
        if (self.jwks_url is None) == (self.key_file is None):
            raise ValueError("an issuer has either jwks_url or key_file")
        url = urlsplit(self.jwks_url or "https://none")
        is_own = url.scheme == "http" and is_loopback(url.hostname or "")
        if not url.hostname or not (url.scheme == "https" or is_own):
            raise ValueError("jwks_url is an address of https")
        return self


class Config(BaseSettings):
    """Everything that can be set: by argument, by environment variable, in a TOML file.

    Each setting `x` is read from `WASM_SERVIENT_X`, and some from the variables of the supervisor.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        env_ignore_empty=True,  # as files for containers leave what is not set
    )

    name: str = Field(
        "servient",
        pattern=r"^[A-Za-z0-9_-]{1,63}$",
        description="The servient's name, for its Thing, its topics and its announcements.",
        validation_alias=_also("name", "WASMIOT_SUPERVISOR_NAME", "SUPERVISOR_NAME", "FLASK_APP"),
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    public_host: str | None = Field(
        None,
        description="The name or address that consumers reach this machine by; by default `host`.",
        validation_alias=_also("public_host", "WASMIOT_SUPERVISOR_IP"),
    )
    insecure: bool = Field(False, description="Listen beyond this machine without credentials.")
    bindings: Annotated[tuple[BindingName, ...], NoDecode] = Field(
        ("http", "websocket", "coap", "mqtt"), description="The protocols to speak."
    )
    port: int = Field(
        5000,
        ge=0,
        le=65535,
        description="The TCP port of HTTP; 0 takes a free one.",
        validation_alias=_also("port", "WASMIOT_SUPERVISOR_PORT", "SUPERVISOR_PORT", "FLASK_PORT"),
    )
    websocket_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="The TCP port of WebSockets; by default the one after HTTP's.",
    )
    coap_port: int = Field(5683, ge=0, le=65535, description="The UDP port of CoAP.")
    mqtt_broker: str | None = Field(
        None,
        description="The MQTT broker as mqtt://[user:password@]host[:port]; by default a private one.",
    )
    mqtt_port: int = Field(
        1883, ge=0, le=65535, description="The private broker's TCP port; another if that is taken."
    )
    embedded_broker: Literal["mosquitto", "amqtt"] | None = Field(
        None,
        description="The private broker's program; by default mosquitto where it is installed.",
    )
    mqtt_prefix: str | None = Field(
        None,
        pattern=r"^[^+#\x00-\x1f]+$",
        max_length=256,
        description="What topics begin with; by default wasm-servient/<name>.",
    )
    instance_path: Path = Field(
        Path("instance"),
        description="The folder for what the servient keeps.",
        validation_alias=_also("instance_path", "INSTANCE_PATH"),
    )
    module_timeout_seconds: float = Field(
        10.0,
        gt=0,
        le=3600,
        description="The deadline of one call of a function.",
        validation_alias=_also("module_timeout_seconds", "WASMIOT_MODULE_TIMEOUT_SECONDS"),
    )
    chain_timeout_seconds: float = Field(
        45.0,
        gt=0,
        le=3600,
        description="The deadline of the next step of a chain, with all the steps after it.",
    )
    module_memory_bytes: int = Field(
        256 * 2**20, ge=2**16, description="The memory that one instance of a module may have."
    )
    body_limit_bytes: int = Field(
        16 * 2**20,
        ge=1024,
        description="The largest body over HTTP, CoAP and MQTT, and message over WebSockets.",
    )
    history_limit: int = Field(
        1000, ge=1, le=100_000, description="How many invocations that are over are remembered."
    )
    history_age_seconds: float = Field(
        7 * 24 * 3600.0, gt=0, description="How long invocations that are over are remembered."
    )
    camera_source: str | None = Field(
        None,
        description="Where modules get pictures from: the number or path of a camera's device, the path"
        " of a picture or of a folder of pictures, or test-picture.",
        validation_alias=_also("camera_source", "DEFAULT_CAMERA_DEVICE"),
    )
    sensor_source: str | None = Field(
        None,
        description="Where modules get temperature and humidity from: two numbers, the path of a file"
        " that holds them, or a sensor and its pin such as dht22:D4.",
    )
    rpc_targets: Mapping[str, str] = Field(
        {}, description="URLs that modules may post data to, by the names that they use; JSON."
    )
    ping_networks: Annotated[tuple[IPv4Network, ...], NoDecode] = Field(
        (), description="The networks in which modules may measure how far machines are away."
    )
    isolate_modules: bool = Field(
        False,
        description="Run every module in a process of its own, not only those that ask for it.",
    )
    stateless_modules: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Names of modules each call of which gets an instance of its own, as with"
        " `stateless` in a manifest.",
    )
    module_environment: Mapping[str, str] = Field(
        {}, description="Environment variables that all modules find, and no others; JSON."
    )
    module_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Where modules may be fetched from: origins (https://host[:port], * for any text,"
        " then at public addresses only) and networks (10.0.0.0/8). The orchestrator's is always one;"
        " without any, a servient that only this machine reaches fetches from everywhere.",
    )
    module_digests: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="The SHA-256 of the modules that may run; by default any may."
    )
    module_public_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Public keys of minisign, one of which has to have signed each module: beside"
        " x.wasm lies x.wasm.minisig.",
    )
    announce: bool | None = Field(
        None,
        description="Whether to announce the servient by multicast DNS; by default when it listens"
        " beyond this machine.",
    )
    announce_interface: IPv4Address | None = Field(
        None,
        description="The address of the network interface to announce on; by default that of the"
        " servient's own address.",
    )
    withdraw_on_stop: bool = Field(
        False,
        description="Say goodbye when stopping: orchestrators then forget this servient and what is"
        " deployed to it. Without, it may be restarted unnoticed.",
    )
    orchestrator_url: str | None = Field(
        None,
        description="The orchestrator to register with and to send logs to; one that finds the"
        " servient says where it is by itself.",
        validation_alias=_also("orchestrator_url", "WASMIOT_ORCHESTRATOR_URL"),
    )
    directory_url: str | None = Field(
        None,
        description="A directory of Thing Descriptions, as of WoT Discovery, in which the servient's"
        " Things are to be found.",
    )
    register_renewal_seconds: float = Field(
        900.0,
        gt=0,
        description="After how long without a health check the servient registers again.",
        validation_alias=_also("register_renewal_seconds", "WASMIOT_REGISTER_RENEWAL_TIME"),
    )
    external_logging: bool = Field(
        True,
        description="Whether the orchestrator gets logs of deployments and executions.",
        validation_alias=_also("external_logging", "EXTERNAL_LOGGING_ENABLED"),
    )
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
    chain_tokens: Mapping[str, SecretStr] = Field(
        {}, description="Bearer tokens for the next steps of chains, by their origins; JSON."
    )
    tls_certificate: Path | None = Field(
        None,
        description="The certificate, in PEM, by which HTTP and WebSockets are served over TLS.",
    )
    tls_key: Path | None = Field(None, description="The key of that certificate, in PEM.")
    drain_seconds: float = Field(
        10.0,
        ge=0,
        le=3600,
        description="How long invocations may go on when the servient is told to stop.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged."
    )

    @field_validator("module_environment")
    @classmethod
    def _are_variables(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name, text in value.items():
            if not name or "=" in name or "\0" in name + text:
                raise ValueError(f"{name[:50]!r} cannot be an environment variable")
        return value

    @field_validator("module_digests")
    @classmethod
    def _are_digests(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if not re.fullmatch(r"[0-9A-Fa-f]{64}", each):
                raise ValueError(f"{each[:80]!r} is no SHA-256, which has 64 hexadecimal digits")
        return value

    @field_validator(
        "bindings",
        "ping_networks",
        "stateless_modules",
        "module_origins",
        "module_digests",
        "module_public_keys",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("rpc_targets")
    @classmethod
    def _are_targets(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name, target in value.items():
            url = urlsplit(target)
            if url.scheme not in ("http", "https") or not url.hostname:
                raise ValueError(f"the target {name!r} is given as http[s]://host[:port]/path")
        return value

    @field_validator("orchestrator_url", "directory_url")
    @classmethod
    def _is_of_the_web(cls, value: str | None) -> str | None:
        if value is not None:
            url = urlsplit(value)
            is_web = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
            if not is_web or not re.fullmatch(r"[!-~]+", value):
                raise ValueError("it is given as http[s]://host[:port]")
        return value

    @field_validator("mqtt_broker")
    @classmethod
    def _is_broker(cls, value: str | None) -> str | None:
        if value is not None:
            url = urlsplit(value)
            if url.scheme != "mqtt" or not url.hostname or url.path not in ("", "/"):
                raise ValueError("a broker is given as mqtt://[user:password@]host[:port]")
        return value

    @model_validator(mode="after")
    def _is_safe(self) -> "Config":
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key are given together")
        if not self.insecure and not self.has_credentials and not is_loopback(self.host):
            raise ValueError(
                f"listening on {self.host} lets everybody who reaches this machine deploy and run"
                " modules; configure `principals`, or set `insecure` (--insecure) if that is what you"
                " want"
            )
        return self

    @property
    def has_credentials(self) -> bool:
        """Whether anybody has to show who they are."""
        return bool(self.principals or self.issuers or self.trust_orchestrator)

    @property
    def reachable_host(self) -> str:
        """What stands in forms."""
        if self.public_host:
            return self.public_host
        return main_address() if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared

    @property
    def is_announced(self) -> bool:
        return not is_loopback(self.host) if self.announce is None else self.announce

    @property
    def own_hosts(self) -> frozenset[str]:
        """The names and addresses that surely are this servient's."""
        hosts = {self.host, self.reachable_host, socket.gethostname()}
        if self.host in ("0.0.0.0", "::"):  # noqa: S104 - compared
            hosts |= {"localhost", main_address()}
        return frozenset(hosts)

    @property
    def real_websocket_port(self) -> int:
        if self.websocket_port is not None:
            return self.websocket_port
        return self.port + 1 if self.port else 0

    @property
    def topic_prefix(self) -> str:
        return self.mqtt_prefix or f"wasm-servient/{self.name}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, that over the file of `load_config`."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_config(file: Path | None = None, **arguments: Any) -> Config:
    """The settings from arguments (None: not given), the environment and a TOML file.

    Raises ConfigError, naming the setting.
    """
    if file is not None and not file.is_file():
        raise ConfigError(f"there is no configuration file {file}")
    given = {name: value for name, value in arguments.items() if value is not None}
    source = type("Config", (Config,), {"model_config": {**Config.model_config, "toml_file": file}})
    try:
        config: Config = source(**given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{where}: {message}" if where else message) from error
    except ValueError as error:  # the file is not TOML
        raise ConfigError(f"{file}: {error}") from error
    return config


def service_manager() -> tuple[str | None, float | None]:
    """systemd's socket for messages, and within how many seconds it wants to hear of us again."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    is_for_us = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    seconds = int(usec) / 1e6 if usec.isdigit() and is_for_us else None
    return os.environ.get("NOTIFY_SOCKET") or None, seconds


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def main_address() -> str:
    """This machine's address on the network that leads outside; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
