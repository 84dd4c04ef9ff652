"""The Things of deployed modules, found by the names that an orchestrator knows."""

from collections.abc import Iterator
from dataclasses import dataclass

from servient.errors import NotFound
from servient.wot.access import Scope
from servient.wot.description import Affordance, Description
from servient.wot.operations import AffordanceKind
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing


@dataclass(frozen=True, slots=True)
class DeployedModule:
    """A module whose Thing is served."""

    thing: ExposedThing

    @property
    def _described(self) -> Description:
        return self.thing.description

    def action(self, function: str) -> Affordance:
        """The action of a function, which may have another name. Raises NotFound."""
        found = next((each for each in self._actions() if each.function == function), None)
        if found is None:
            raise NotFound(f"module {self._described.module!r} has no function {function[:200]!r}")
        return found

    def _actions(self) -> Iterator[Affordance]:
        return (each for each in self._described if each.kind is AffordanceKind.ACTION)

    def is_called(self, name: str) -> bool:
        """Whether this is the module's name or its id."""
        return name in (self._described.module, self._described.module_id)

    def value_of(self, file: str, action: Affordance | None = None) -> object:
        """The value of the first property, of an action if one is given, that holds such a file."""
        names = None if action is None else {action.result_property, *action.file_properties}
        for each in self._described:
            if each.file == file and (names is None or each.name in names):
                return self.thing.value_of(each.name)
        return None


class DeployedModules:
    """Looks them up at each request: what is undeployed is gone."""

    def __init__(self, servient: Servient) -> None:
        self._servient = servient

    def find(self, deployment: str, module: str) -> DeployedModule:
        """By the module's name. Raises NotFound."""
        try:
            thing = self._servient.exposed(f"{deployment}:{module}")
        except NotFound:
            thing = None
        # Things go by other names too, and there are others than those of modules.
        if thing is None or (thing.description.deployment, thing.description.module) != (
            deployment,
            module,
        ):
            raise NotFound(f"no module {module[:200]!r} in a deployment {deployment[:200]!r}")
        return DeployedModule(thing)

    def called(self, name: str, deployment: str | None = None) -> list[DeployedModule]:
        """Those of that name or id, in one deployment or in all."""
        modules = (
            DeployedModule(thing)
            for thing in self._servient.enabled_exposed_things
            if thing.description.module is not None
            and self._servient.policy.allows(Scope.READ, thing.name)
            and deployment in (None, thing.description.deployment)
        )
        return [module for module in modules if module.is_called(name)]

    def function(self, thing: str, action: str) -> str:
        """The function behind an action, as long as its Thing is served."""
        try:
            described = self._servient.exposed(thing).description
            return described.find(AffordanceKind.ACTION, action).function or action
        except NotFound:  # its deployment is gone, or another one of that id came
            return action
