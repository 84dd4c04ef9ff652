"""A deployment that runs."""

from dataclasses import dataclass

from converters.deployment import Deployment
from servient.deployment.module import DeployedModule, thing_name


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment and its modules; their Things may be served."""

    deployment: Deployment
    modules: tuple[DeployedModule, ...]

    @property
    def id(self) -> str:
        return self.deployment.id

    def names(self) -> list[str]:
        """The names of its Things."""
        return [thing_name(self.id, module.name) for module in self.modules]

    def withdraw(self) -> None:
        """Stop serving its Things."""
        for module in self.modules:
            module.withdraw()

    async def close(self) -> None:
        """End its instances, and remove their folders."""
        for module in self.modules:
            await module.close()
