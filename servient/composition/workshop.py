"""What deployments are made with: the engine, where modules come from, and how they are chained."""

from contextlib import AsyncExitStack
from dataclasses import replace

from servient.composition.kept import Kept
from servient.composition.reporting import Reporting
from servient.config import Config, ConfigError, is_loopback
from servient.deployment.chain import Chains
from servient.deployment.deployer import Deployer
from servient.deployment.deployer_settings import DeployerSettings
from servient.deployment.fetch import Fetcher
from servient.deployment.origins import Origins
from servient.deployment.own_steps import OwnSteps
from servient.deployment.reach import Reach, parse_reach
from servient.deployment.step_limits import StepLimits
from servient.deployment.steps import Steps
from servient.deployment.trust import Trust, to_trust
from servient.journal import Journal
from servient.wasm.engine import Engine
from servient.wasm.imports.standard import ImportSettings, build_namespaces
from servient.wasm.types import Limits
from servient.wot.binding import Binding
from servient.wot.servient import Servient


class Workshop:
    """Raises ConfigError."""

    def __init__(self, config: Config, servient: Servient, stack: AsyncExitStack) -> None:
        self._config = config
        self._servient = servient
        self._stack = stack
        self._reach = _to_reach(config)
        self._trust = _to_trust(config)
        self._limits = Limits(memory_bytes=config.module_memory_bytes)
        self._imports = ImportSettings(
            config.camera_source, config.sensor_source, config.rpc_targets, config.ping_networks
        )

    async def start_engine(self) -> Engine:
        cache_path = self._config.instance_path / "compiled"
        engine = Engine(self._limits, cache_path, build_namespaces(self._imports))
        return await self._stack.enter_async_context(engine)

    async def start_deployer(
        self, engine: Engine, kept: Kept, reporting: Reporting, http: Binding | None
    ) -> Deployer:
        """With what was deployed when the servient stopped last. `http` is by what chains find it."""
        reach = replace(self._reach, orchestrator=reporting.orchestrator_url)
        fetcher = await self._stack.enter_async_context(Fetcher(reach))
        chains = await self._start_chains(reporting.journal, http)
        settings = self._to_settings(kept, reporting.journal)
        store = kept.store.deployments
        deployer = Deployer(self._servient, engine, fetcher, store, chains, settings)
        self._stack.push_async_callback(deployer.close)
        await deployer.restore()
        return deployer

    async def _start_chains(self, journal: Journal, http: Binding | None) -> Chains:
        limits = StepLimits(self._config.chain_timeout_seconds)
        tokens = {o: each.get_secret_value() for o, each in self._config.chain_tokens.items()}
        steps = await self._stack.enter_async_context(Steps(limits, tokens))
        origins = Origins(self._config.own_hosts, http)
        return Chains(OwnSteps(self._servient, origins, limits.deadline_seconds), steps, journal)

    def _to_settings(self, kept: Kept, journal: Journal) -> DeployerSettings:
        config = self._config
        return DeployerSettings(
            kept.modules_path,
            kept.servient_id,
            config.module_timeout_seconds,
            self._limits,
            journal,
            self._imports,
            isolates_all=config.isolate_modules,
            environment=config.module_environment,
            stateless_modules=frozenset(config.stateless_modules),
            trust=self._trust,
        )


def _to_reach(config: Config) -> Reach:
    """Without a list, only who is on this machine can have modules fetched, and from everywhere."""
    try:
        origins, networks = parse_reach(config.module_origins)
    except ValueError as error:
        raise ConfigError(f"module_origins: {error}") from error
    is_open = not config.module_origins and is_loopback(config.host)
    return Reach(is_open, origins, networks)


def _to_trust(config: Config) -> Trust:
    try:
        return to_trust(config.module_digests, config.module_public_keys)
    except ValueError as error:
        raise ConfigError(f"module_public_keys: {error}") from error
