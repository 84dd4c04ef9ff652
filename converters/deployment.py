"""What an orchestrator's manifest says, whatever shape it was written in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from converters.file_urls import is_name
from converters.shown_url import shown_url

MODULES_LIMIT = 64
FUNCTIONS_LIMIT = 256
PARAMETERS_LIMIT = 64
MOUNTS_LIMIT = 64
FILES_LIMIT = 256
VARIABLES_LIMIT = 64
ARGUMENTS_LIMIT = 64
TEXT_LIMIT_CHARS = 4096


class Stage(StrEnum):
    """When a mounted file comes to be: with a request, with the deployment, or by the module."""

    EXECUTION = "execution"
    DEPLOYMENT = "deployment"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Mount:
    """A file visible to a module; `path` is a plain name in the module's own folder."""

    path: str
    media_type: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named argument of a function. `schema` is a data schema of TD 1.1, {} when unknown."""

    name: str
    schema: Mapping[str, Any]
    required: bool = True
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a function is called.

    `method` is in lower case; `files` are the mounts that come with a request. `url` is the origin,
    "" where the document names none. `response_media_type` is "" where no response is declared;
    `response_schema` is a data schema of TD 1.1, {} where none is declared.
    """

    method: str
    parameters: tuple[Parameter, ...]
    files: tuple[Mount, ...]
    response_media_type: str
    response_schema: Mapping[str, Any]
    url: str
    path: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a manifest names. `next` is the endpoint that gets its result.

    `steps` are the places of the function in the chain of its deployment, from 0, where the manifest
    numbers them; they say what follows it at each, and `next` is what follows at the first.
    """

    name: str
    endpoint: Endpoint | None
    mounts: tuple[Mount, ...]
    next: Endpoint | None
    steps: Mapping[int, Endpoint | None] = field(default_factory=dict)

    def at(self, stage: Stage) -> tuple[Mount, ...]:
        """The mounts of one stage."""
        return tuple(mount for mount in self.mounts if mount.stage is stage)


@dataclass(frozen=True, slots=True)
class ModuleEntry:
    """A module to fetch, its data files (name → URL) and its functions by name.

    `is_stateless` is an extension of ours (`"stateless": true`): its calls need not see what earlier
    ones left, so that each may have an instance of its own. `is_isolated` is another
    (`"isolated": true`): it runs in a process of its own. So are `environment` and `arguments`, which
    the module gets beside those that the servient is configured to give. `digests` are the SHA-256
    that files must have, by URL (`"sha256"`, see `converters.digests`). `signature_url` is where the
    signature of the binary is, if not beside it (`"signature"` in `urls`).
    """

    id: str
    name: str
    binary_url: str
    description_url: str | None
    files: Mapping[str, str]
    functions: Mapping[str, Function]
    is_stateless: bool = False
    is_isolated: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    signature_url: str | None = None

    @property
    def source(self) -> str:
        """What messages say of where the binary is from."""
        return f"module {self.name!r}" if is_name(self.binary_url) else shown_url(self.binary_url)


@dataclass(frozen=True, slots=True)
class Deployment:
    """One unit that an orchestrator sends; module names are unique in it."""

    id: str
    modules: tuple[ModuleEntry, ...]
