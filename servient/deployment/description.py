"""The OpenAPI description of a module, where there is one that can be used."""

import logging
from collections.abc import Mapping

from converters.deployment import Endpoint, ModuleEntry
from converters.errors import ConversionError
from converters.file_urls import is_name
from converters.openapi.modules import parse_description
from converters.shown_url import shown_url
from servient.errors import InvalidInput, ManifestRejected
from servient.wot.content import parse_json

logger = logging.getLogger(__name__)


def read_description(entry: ModuleEntry, contents: Mapping[str, bytes]) -> Mapping[str, Endpoint]:
    """The endpoints that a module's description declares, by function.

    None when it could not be fetched or used: then the manifest says how a function is called. One
    that came in the manifest is meant to be used, though: raises ManifestRejected.
    """
    if entry.description_url is None or entry.description_url not in contents:
        return {}
    try:
        return parse_description(parse_json(contents[entry.description_url]), entry.name)
    except (ConversionError, InvalidInput) as error:
        if is_name(entry.description_url):
            raise ManifestRejected(
                f"the description of module {entry.name!r} cannot be used: {error}"
            ) from error
        shown = shown_url(entry.description_url)
        logger.info("the description at %s is not used: %s", shown, error)
        return {}
