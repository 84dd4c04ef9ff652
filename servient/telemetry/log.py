"""The log on standard error: as text for people, or each entry as one line of JSON for programs."""

import json
import logging
from datetime import UTC, datetime

from servient.wot.invocation import INVOCATION_ID
from servient.wot.tracing import TRACEPARENT

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# journald has the time already.
JOURNAL_TEXT = "%(levelname)s %(name)s: %(message)s"
LINE_LIMIT_CHARS = 32_000
# Those of sd-daemon(3), by which journald tells entries apart.
_PRIORITIES = ((logging.ERROR, "<3>"), (logging.WARNING, "<4>"), (logging.INFO, "<6>"))
_DEBUG = "<7>"
# A line for each request of a client of ours, with its URL, is more than an operator wants to read,
# and what their debugging shows of headers is nobody's business.
_CHATTY = ("httpx", "httpcore", "urllib3")


def start_log(level: str, style: str, *, is_journal: bool = False) -> None:
    """From now on, log what is at least of a level, as "text" or "json"; `is_journal` for journald."""
    formatter: logging.Formatter
    formatter = JsonFormatter() if style == "json" else logging.Formatter(_text(is_journal))
    handler = logging.StreamHandler()
    handler.setFormatter(JournalFormatter(formatter) if is_journal else formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.captureWarnings(capture=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


def _text(is_journal: bool) -> str:
    return JOURNAL_TEXT if is_journal else TEXT


class JsonFormatter(logging.Formatter):
    """Members that there is nothing to say for are left out; `thing` is the name of one in paths."""

    def format(self, record: logging.LogRecord) -> str:
        invocation = INVOCATION_ID.get()
        entry = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _cut(record.getMessage()),
            "invocation": invocation,
            "thing": invocation.rsplit(":", 2)[0],
            "trace": _trace_id(TRACEPARENT.get()),
            "exception": self._exception(record),
        }
        return json.dumps({name: text for name, text in entry.items() if text})

    def _exception(self, record: logging.LogRecord) -> str:
        """Its last lines say the most."""
        text = self.formatException(record.exc_info) if record.exc_info else ""
        return text[-LINE_LIMIT_CHARS:]


class JournalFormatter(logging.Formatter):
    """Another formatter's lines, each with its priority before it."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        priority = next((text for of, text in _PRIORITIES if record.levelno >= of), _DEBUG)
        return "\n".join(priority + line for line in self._formatter.format(record).splitlines())


def _time(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trace_id(traceparent: str) -> str:
    return traceparent.split("-")[1] if traceparent else ""


def _cut(text: str) -> str:
    return text if len(text) <= LINE_LIMIT_CHARS else f"{text[:LINE_LIMIT_CHARS]}…"
