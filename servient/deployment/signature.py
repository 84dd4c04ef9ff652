"""Signatures of minisign, by which modules are known to come from whom they should."""

from dataclasses import dataclass
from typing import Self

from minisign import Error, PublicKey, Signature


@dataclass(frozen=True, slots=True)
class MinisignKey:
    """A public key that is trusted."""

    key: PublicKey

    @classmethod
    def parse(cls, text: str) -> Self:
        """From base64. Raises ValueError."""
        try:
            return cls(PublicKey.from_base64(text))
        except (Error, ValueError) as error:
            raise ValueError(f"{text[:80]!r} is no public key of minisign: {error}") from error

    def signed(self, binary: bytes, signature: bytes) -> bool:
        try:
            self.key.verify(binary, Signature.from_bytes(signature))
        except (Error, ValueError):
            return False
        return True
