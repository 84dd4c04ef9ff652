"""All settings: of the sections, and what holds between them."""

from typing import Self

from pydantic import model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from servient.config.addresses import is_loopback
from servient.config.broker import BrokerSettings
from servient.config.discovery import DiscoverySettings
from servient.config.kept import KeptSettings
from servient.config.modules import ModuleSettings
from servient.config.network import NetworkSettings
from servient.config.orchestrator import OrchestratorSettings
from servient.config.peripherals import PeripheralSettings
from servient.config.process import ProcessSettings
from servient.config.section import PREFIX
from servient.config.security import SecuritySettings
from servient.config.telemetry import TelemetrySettings


class Config(
    NetworkSettings,
    BrokerSettings,
    KeptSettings,
    ModuleSettings,
    PeripheralSettings,
    DiscoverySettings,
    OrchestratorSettings,
    SecuritySettings,
    TelemetrySettings,
    ProcessSettings,
    BaseSettings,
):
    """Everything that can be set: by argument, by environment variable, in a TOML file.

    Each setting `x` is read from `WASM_SERVIENT_X`, and some from the variables of the supervisor.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # as files for containers leave what is not set
    )

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if not self.insecure and not self.has_credentials and not is_loopback(self.host):
            raise ValueError(
                f"listening on {self.host} lets everybody who reaches this machine deploy and run"
                " modules; configure `principals`, or set `insecure` (--insecure) if that is what you"
                " want"
            )
        return self

    @property
    def is_announced(self) -> bool:
        return not is_loopback(self.host) if self.announce is None else self.announce

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
