"""URLs as messages and logs name them: whoever reads those need not be who may use the URL."""

from urllib.parse import urlsplit


def shown_url(url: str) -> str:
    """Without the name and password that it may have, and without a query, which may be a signature."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that cannot be read"
    host = parts.netloc.rpartition("@")[2]
    query = "?…" if parts.query else ""
    return f"{parts.scheme}://{host}{parts.path}{query}" if parts.netloc else url
