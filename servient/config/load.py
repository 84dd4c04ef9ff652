"""Reading the settings."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from servient.config.error import ConfigError
from servient.config.settings import Config


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
