"""Values of properties with their times, in a collection of MongoDB."""

import contextlib
import time
from typing import Any

from emulation.errors import EmulationError
from emulation.node.history import COLUMNS, Span

DATABASE, COLLECTION = "wotemu", "history"
OPTION, CONNECT_SECONDS = "serverSelectionTimeoutMS", 5.0
ASCENDING = 1


class NoMongo(EmulationError):
    """A MongoDB is not there, or pymongo is not installed."""


def connect(uri: str) -> "MongoHistory":
    """The history in the database that the URI names, else in `wotemu`. Raises NoMongo."""
    try:
        # Here, since few want it.
        import pymongo  # noqa: PLC0415
    except ImportError as error:
        raise NoMongo("MongoDB needs its client: install wasm-servient[mongo]") from error
    with contextlib.ExitStack() as undo:
        try:
            client: Any = pymongo.MongoClient(f"{uri}{_limit(uri)}")
            undo.callback(client.close)
            client.admin.command("ping")
            history = MongoHistory(client.get_default_database(DATABASE)[COLLECTION])
        except pymongo.errors.PyMongoError as error:
            raise NoMongo(f"no MongoDB answers: {error}") from error
        undo.pop_all()
    return history


def _limit(uri: str) -> str:
    """What is put behind a URI for a program not to wait for half a minute."""
    if OPTION.lower() in uri.lower():
        return ""
    _, _, rest = uri.partition("://")
    joint = "&" if "?" in rest else "?" if "/" in rest else "/?"
    return f"{joint}{OPTION}={CONNECT_SECONDS * 1000:.0f}"


class MongoHistory:
    """`collection` is one of pymongo's."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection
        collection.create_index([("propertyName", ASCENDING), ("unixTime", ASCENDING)])

    def write(self, entry: dict[str, Any]) -> None:
        at = entry.get("unixTime") or time.time()
        names = {name: entry[name] for name in COLUMNS}
        self._collection.insert_one({"unixTime": at, **names, "value": entry["value"]})

    def keys(self) -> list[dict[str, Any]]:
        key = {name: f"${name}" for name in COLUMNS}
        found = (each["_id"] for each in self._collection.aggregate([{"$group": {"_id": key}}]))
        return sorted(found, key=lambda each: [each[name] for name in COLUMNS])

    def get(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        span = Span.of(wanted)
        query: dict[str, Any] = {name: wanted[name] for name in COLUMNS if wanted.get(name)}
        query["unixTime"] = {"$gte": span.start, "$lt": span.end}
        found = self._collection.find(query, {"_id": False}).sort("unixTime", ASCENDING)
        return list(span.thin_out(found, int(wanted.get("buckets") or 0)))
