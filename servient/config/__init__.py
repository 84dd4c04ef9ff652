"""Typed settings; the only reader of the environment and of the configuration file."""

from servient.config.addresses import is_loopback, main_address
from servient.config.error import ConfigError
from servient.config.issuer import IssuerSettings
from servient.config.load import load_config
from servient.config.network import BindingName
from servient.config.principal import PrincipalSettings
from servient.config.service_manager import is_journal, service_manager
from servient.config.settings import Config

__all__ = [
    "BindingName",
    "Config",
    "ConfigError",
    "IssuerSettings",
    "PrincipalSettings",
    "is_journal",
    "is_loopback",
    "load_config",
    "main_address",
    "service_manager",
]
