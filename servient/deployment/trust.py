"""Which modules may run: those with the digests that are wanted, signed by those who are trusted."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from minisign import Error as MinisignError
from minisign import PublicKey, Signature

from converters.deployment import Deployment, ModuleEntry
from converters.file_urls import is_name
from servient.errors import ModuleRejected

SIGNATURE_SUFFIX = ".minisig"


class Untrusted(ModuleRejected):
    """A module or one of its files is not what was promised, or not from whom it has to be."""

    title = "Untrusted module"


@dataclass(frozen=True, slots=True)
class Trust:
    """`digests`: only binaries with one of these SHA-256 may run; empty: any.

    `keys`: only binaries may run that come with a signature of minisign by one of these; empty: any.
    """

    digests: frozenset[str] = frozenset()
    keys: tuple[PublicKey, ...] = ()

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
                    raise Untrusted(f"{url} has the SHA-256 {found}, and not {wanted}")
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
        if signature is None or not any(_is_signed(binary, signature, key) for key in self.keys):
            raise Untrusted(f"{entry.source} is not signed by a key that is trusted here")


def parse_key(text: str) -> PublicKey:
    """A public key of minisign, as base64. Raises ValueError."""
    try:
        return PublicKey.from_base64(text)
    except (MinisignError, ValueError) as error:
        raise ValueError(f"{text[:80]!r} is no public key of minisign: {error}") from error


def to_trust(digests: Iterable[str], keys: Iterable[str]) -> Trust:
    """Raises ValueError."""
    return Trust(frozenset(map(str.lower, digests)), tuple(map(parse_key, keys)))


def _is_signed(binary: bytes, signature: bytes, key: PublicKey) -> bool:
    try:
        key.verify(binary, Signature.from_bytes(signature))
    except (MinisignError, ValueError):
        return False
    return True


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
