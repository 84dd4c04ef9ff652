"""Manifests as they come from outside."""

import contextlib
from collections.abc import Iterator
from typing import Any

from converters.deployment import Deployment
from converters.errors import ConversionError
from converters.manifest import parse_manifest
from converters.package import Package, open_package
from servient.errors import ManifestRejected


def unpack(document: Any) -> Package:
    """A manifest and the files in it. Raises ManifestRejected."""
    with _rejecting():
        return open_package(document)


def parse(document: Any) -> Deployment:
    """Raises ManifestRejected."""
    with _rejecting():
        return parse_manifest(document)


@contextlib.contextmanager
def _rejecting() -> Iterator[None]:
    try:
        yield
    except ConversionError as error:
        faults = [{"pointer": error.pointer, "detail": error.message}]
        raise ManifestRejected(str(error), faults) from error
