"""What a module prepares for itself when it is deployed: files for its functions to find."""

from collections.abc import Mapping
from dataclasses import dataclass

from converters.component_types import FunctionType
from converters.deployment import ModuleEntry, Stage
from converters.plan import INITIALIZER, Signature
from converters.reading import escape
from servient.errors import ManifestRejected
from servient.wasm.types import Call


@dataclass(frozen=True, slots=True)
class Initializer:
    """A function to be run first. `files` are those that it has to write.

    A copy that takes the place of another is initialized as well; the files stay those of the first.
    """

    files: tuple[str, ...]
    deadline_seconds: float

    def to_call(self) -> Call:
        return Call(INITIALIZER, outputs=self.files, deadline_seconds=self.deadline_seconds)


def find_initializer(
    entry: ModuleEntry, signatures: Mapping[str, Signature], deadline_seconds: float
) -> Initializer | None:
    """The initializer that a module exports, if it does.

    It writes what the manifest says, and every file of the deployment that is mounted but not sent:
    orchestrators do not name the initializer of a module none of whose steps it is.
    Raises ManifestRejected for a file that nobody brings, and an initializer that cannot be called.
    """
    named = entry.functions.get(INITIALIZER)
    written = [mount.path for mount in named.at(Stage.OUTPUT)] if named else []
    absent = {
        mount.path: function.name
        for function in entry.functions.values()
        for mount in function.at(Stage.DEPLOYMENT)
        if mount.path not in entry.files and mount.path not in written
    }
    signature = signatures.get(INITIALIZER)
    if signature is None:
        _refuse_absent(entry, absent)
        if written:
            raise _rejected(
                entry,
                INITIALIZER,
                "output",
                f"the module exports no {INITIALIZER!r} to write files",
            )
        return None
    if isinstance(signature, FunctionType) or signature[0]:
        raise _rejected(entry, INITIALIZER, "output", f"{INITIALIZER!r} takes arguments")
    return Initializer(tuple(dict.fromkeys([*written, *absent])), deadline_seconds)


def _refuse_absent(entry: ModuleEntry, absent: Mapping[str, str]) -> None:
    for path, function in absent.items():
        where = f"`urls.other` of module {entry.name!r}"
        raise _rejected(entry, function, "deployment", f"the file {path!r} is not in {where}")


def _rejected(entry: ModuleEntry, function: str, stage: str, detail: str) -> ManifestRejected:
    pointer = f"/mounts/{escape(entry.name)}/{escape(function)}/{stage}"
    return ManifestRejected(f"{pointer}: {detail}", [{"pointer": pointer, "detail": detail}])
