"""How modules run, and which may."""

import re
from collections.abc import Mapping

from pydantic import Field, field_validator

from servient.config.section import Listed, Section, also


class ModuleSettings(Section):
    """Their limits, what they are told, and where they come from."""

    module_timeout_seconds: float = Field(
        10.0,
        gt=0,
        le=3600,
        description="The deadline of one call of a function.",
        validation_alias=also("module_timeout_seconds", "WASMIOT_MODULE_TIMEOUT_SECONDS"),
    )
    module_memory_bytes: int = Field(
        256 * 2**20, ge=2**16, description="The memory that one instance of a module may have."
    )
    isolate_modules: bool = Field(
        False,
        description="Run every module in a process of its own, not only those that ask for it.",
    )
    stateless_modules: Listed[str] = Field(
        (),
        description="Names of modules each call of which gets an instance of its own, as with"
        " `stateless` in a manifest.",
    )
    module_environment: Mapping[str, str] = Field(
        {}, description="Environment variables that all modules find, and no others; JSON."
    )
    module_origins: Listed[str] = Field(
        (),
        description="Where modules may be fetched from: origins (https://host[:port], * for any text,"
        " then at public addresses only) and networks (10.0.0.0/8). The orchestrator's is always one;"
        " without any, a servient that only this machine reaches fetches from everywhere.",
    )
    module_digests: Listed[str] = Field(
        (), description="The SHA-256 of the modules that may run; by default any may."
    )
    module_public_keys: Listed[str] = Field(
        (),
        description="Public keys of minisign, one of which has to have signed each module: beside"
        " x.wasm lies x.wasm.minisig.",
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
