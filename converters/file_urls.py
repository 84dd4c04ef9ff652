"""Where a file of a module is: an http or https URL, or the name of one that came in the manifest."""

import hashlib
import re
from base64 import urlsafe_b64encode

from converters.reading import Node

# RFC 6920 section 3: a name made of what the file contains.
_NAMED = re.compile(r"ni:///sha-256;[A-Za-z0-9_-]{43}")


def parse_file_url(node: Node) -> str:
    """Raises ConversionError."""
    if isinstance(node.value, str) and is_name(node.value):
        return node.value
    return node.url()


def is_name(url: str) -> bool:
    """Whether it says what the file is, and not where."""
    return _NAMED.fullmatch(url) is not None


def name_of(content: bytes) -> str:
    digest = urlsafe_b64encode(hashlib.sha256(content).digest()).decode("ascii")
    return f"ni:///sha-256;{digest.rstrip('=')}"
