"""What holds for all deployments of a servient."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from converters.deployment import ModuleEntry
from servient.deployment.trust import Trust
from servient.journal import Journal
from servient.wasm.imports.standard import ImportSettings
from servient.wasm.types import Limits


@dataclass(frozen=True, slots=True)
class DeployerSettings:
    """`deadline_seconds` bounds each call of a function.

    `imports` is what modules in processes of their own may reach; with `isolates_all` all have one.
    `environment` is what every module's WASI tells it, `stateless_modules` are names of modules that
    need not declare it themselves. `trust` says which modules may run.
    """

    instance_path: Path
    servient_id: str
    deadline_seconds: float = 10.0
    limits: Limits = field(default_factory=Limits)
    journal: Journal = field(default_factory=Journal)
    imports: ImportSettings = field(default_factory=ImportSettings)
    isolates_all: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    stateless_modules: frozenset[str] = frozenset()
    trust: Trust = field(default_factory=Trust)

    def complete(self, entry: ModuleEntry) -> ModuleEntry:
        """A module with what is configured for it; what its manifest says goes before."""
        return replace(
            entry,
            environment={**self.environment, **entry.environment},
            is_stateless=entry.is_stateless or entry.name in self.stateless_modules,
        )
