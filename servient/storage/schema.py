"""The tables of the database, and how those of an earlier version become them."""

import sqlite3
from pathlib import Path

from servient.storage.errors import Unusable

# By the version that they lead to. What is released is never changed: a change is a new step.
MIGRATIONS: dict[int, str] = {
    1: """
        CREATE TABLE deployments (
            id TEXT PRIMARY KEY,
            manifest TEXT NOT NULL,
            -- The number of the first invocation that can be one of this deployment.
            first_invocation INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE deployment_files (
            deployment TEXT NOT NULL REFERENCES deployments ON DELETE CASCADE,
            url TEXT NOT NULL,
            digest TEXT NOT NULL,
            PRIMARY KEY (deployment, url)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX deployment_digests ON deployment_files (digest);
        CREATE TABLE invocations (
            number INTEGER PRIMARY KEY,
            -- Seconds since the epoch; NULL as long as it has not ended.
            ended_at REAL,
            record TEXT NOT NULL
        ) STRICT;
        CREATE TABLE invocation_files (
            number INTEGER NOT NULL REFERENCES invocations ON DELETE CASCADE,
            -- Where in the record it is: a JSON array of names and indices.
            place TEXT NOT NULL,
            digest TEXT NOT NULL,
            size_bytes INTEGER NOT NULL,
            media_type TEXT NOT NULL,
            PRIMARY KEY (number, place)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX invocation_digests ON invocation_files (digest);
        -- One row: the least number that no invocation has had whose row is gone.
        CREATE TABLE numbers (next INTEGER NOT NULL) STRICT;
        INSERT INTO numbers VALUES (0);
        CREATE VIEW used_files AS
            SELECT digest FROM deployment_files UNION ALL SELECT digest FROM invocation_files;
    """,
}
VERSION = max(MIGRATIONS)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables to the present version, all of it or nothing. Raises Unusable."""
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > VERSION:
        raise Unusable(
            f"{path} was written by a newer wasm-servient: its version is {found}, and this one"
            f" knows {VERSION}"
        )
    for version in range(found + 1, VERSION + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE;{MIGRATIONS[version]};PRAGMA user_version={version};COMMIT;"
        )
