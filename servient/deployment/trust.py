"""Which modules may run: those with the digests that are wanted, signed by those who are trusted."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from converters.deployment import Deployment, ModuleEntry
from converters.file_urls import is_name
from converters.shown_url import shown_url
from servient.errors import ModuleRejected

SIGNATURE_SUFFIX = ".minisig"


class Untrusted(ModuleRejected):
    """A module or one of its files is not what was promised, or not from whom it has to be."""

    title = "Untrusted module"


class Key(Protocol):
    """Of somebody who is trusted."""

    def signed(self, binary: bytes, signature: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Trust:
    """`digests`: only binaries with one of these SHA-256 may run; empty: any.

    `keys`: only binaries may run that come with a signature of minisign by one of these; empty: any.
    """

    digests: frozenset[str] = frozenset()
    keys: tuple[Key, ...] = ()

    def signature_urls(self, deployment: Deployment) -> frozenset[str]:
        """What has to be fetched besides the modules. Raises Untrusted where there is none."""
        if not self.keys:
            return frozenset()
        return frozenset(map(_signature_url, deployment.modules))

    def require(self, deployment: Deployment, contents: Mapping[str, bytes]) -> None:
        """Raises Untrusted, naming what is wrong."""
        for entry in deployment.modules:
            for url, wanted in entry.digests.items():
                if url in contents and (found := _sha256(contents[url])) != wanted:
                    raise Untrusted(f"{shown_url(url)} has the SHA-256 {found}, and not {wanted}")
            binary = contents[entry.binary_url]
            if self.digests and (found := _sha256(binary)) not in self.digests:
                raise Untrusted(f"{entry.source} ({found}) is none of the modules that may run")
            if self.keys:
                self._require_signature(entry, binary, contents)

    def _require_signature(
        self, entry: ModuleEntry, binary: bytes, contents: Mapping[str, bytes]
    ) -> None:
        """A deployment that was kept before keys were configured has no signature."""
        signature = contents.get(_signature_url(entry))
        if signature is None or not any(key.signed(binary, signature) for key in self.keys):
            raise Untrusted(f"{entry.source} is not signed by a key that is trusted here")


def to_trust(digests: Iterable[str], keys: Iterable[str]) -> Trust:
    """`keys` are public keys of minisign, as base64. Raises ValueError."""
    return Trust(frozenset(map(str.lower, digests)), tuple(map(_parse_key, keys)))


def _parse_key(text: str) -> Key:
    # Here, since few servients have a key, and what its signatures take is a large library.
    from servient.deployment.signature import MinisignKey  # noqa: PLC0415

    return MinisignKey.parse(text)


def _signature_url(entry: ModuleEntry) -> str:
    """Beside the file, whatever its query: `x.wasm?v=1` is signed in `x.wasm.minisig?v=1`.

    Raises Untrusted when it can be nowhere.
    """
    if entry.signature_url is not None:
        return entry.signature_url
    if is_name(entry.binary_url):
        raise Untrusted(
            f"module {entry.name!r} came in its manifest, and no signature with it: modules that run"
            " here have to be signed, so name that of minisign as `signature` in its `urls`"
        )
    path, mark, query = entry.binary_url.partition("?")
    return f"{path}{SIGNATURE_SUFFIX}{mark}{query}"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
