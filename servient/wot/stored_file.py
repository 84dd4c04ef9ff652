"""A file that was part of an interaction and is kept elsewhere than in memory."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredFile:
    """In the values of invocations that are over this stands for a `Content`."""

    digest: str
    size_bytes: int
    media_type: str
