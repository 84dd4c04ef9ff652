"""Who is told what happens here: the orchestrator, by the journal."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from servient.config import Config
from servient.discovery.orchestrator import Orchestrator
from servient.discovery.service import find_address
from servient.journal import Journal
from servient.telemetry.shipper import LogShipper, Sender


@dataclass(frozen=True, slots=True)
class Reporting:
    """`address` is the one by which others know this servient, None where it has none of IPv4."""

    orchestrator: Orchestrator
    address: str | None
    shipper: LogShipper
    journal: Journal

    def orchestrator_url(self) -> str | None:
        return self.orchestrator.url


async def start_reporting(config: Config, stack: AsyncExitStack) -> Reporting:
    address = await find_address(config.reachable_host)
    file = config.instance_path / "orchestrator.json"
    orchestrator = Orchestrator(file, config.orchestrator_url)
    shipper = LogShipper(orchestrator, Sender(config.name, address or config.reachable_host))
    if config.external_logging:
        await stack.enter_async_context(shipper)
    journal = Journal(shipper if config.external_logging else None)
    return Reporting(orchestrator, address, shipper, journal)
