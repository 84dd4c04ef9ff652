"""The database: its versions, what damages it, and jobs that fail."""

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from servient.errors import InvalidInput, StorageFailed
from servient.storage.database import Database, transaction
from servient.storage.errors import Unusable
from servient.storage.schema import MIGRATIONS, VERSION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test.sqlite"


def insert(connection: sqlite3.Connection, row: tuple[int, float | None, str]) -> None:
    connection.execute("INSERT INTO invocations VALUES (?, ?, ?)", row)


def numbers(connection: sqlite3.Connection) -> list[tuple[int]]:
    return connection.execute("SELECT number FROM invocations").fetchall()


async def open_and_close(path: Path) -> None:
    async with Database(path):
        pass


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return found


async def test_a_new_one_has_the_newest_version_and_keeps_what_is_written(path: Path) -> None:
    async with Database(path) as database:
        await database.submit(lambda each: each.execute("INSERT INTO deployments VALUES (1, 2, 3)"))
    assert version(path) == VERSION == len(MIGRATIONS)
    async with Database(path) as database:
        rows = await database.submit(
            lambda each: each.execute("SELECT id FROM deployments").fetchall()
        )
        assert rows == [("1",)]
    assert path.stat().st_mode & 0o777 == 0o600


async def test_one_of_each_earlier_version_is_brought_up_to_date(path: Path) -> None:
    for earlier in MIGRATIONS:
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path)
        for step in range(1, earlier):
            connection.executescript(MIGRATIONS[step])
        connection.execute(f"PRAGMA user_version = {earlier - 1}")
        connection.close()
        await open_and_close(path)
        assert version(path) == VERSION


async def test_a_newer_version_is_refused_in_a_sentence(path: Path) -> None:
    await open_and_close(path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(Unusable, match=f"newer wasm-servient: its version is {VERSION + 1}"):
        await open_and_close(path)


async def test_a_migration_that_fails_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_and_close(path)
    broken = "ALTER TABLE deployments ADD COLUMN more TEXT; DROP TABLE unknown"
    monkeypatch.setitem(MIGRATIONS, VERSION + 1, broken)
    monkeypatch.setattr("servient.storage.schema.VERSION", VERSION + 1)
    with pytest.raises(Unusable, match="unknown"):
        await open_and_close(path)
    monkeypatch.undo()
    assert version(path) == VERSION
    await open_and_close(path)


@pytest.mark.parametrize("content", [b"This is not a database, but long enough to be one." * 99])
async def test_another_kind_of_file_is_refused_in_a_sentence(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(Unusable, match=f"{path} is damaged"):
        await open_and_close(path)
    assert path.read_bytes() == content


async def test_damage_inside_is_found_at_the_start(path: Path) -> None:
    async with Database(path) as database:
        for number in range(500):
            row = (number, None, "x" * 500)
            await database.submit(partial(insert, row=row))
    body = bytearray(path.read_bytes())
    for page in range(10, len(body) // 4096):
        body[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(body)
    with pytest.raises(Unusable, match=f"{path} is damaged"):
        await open_and_close(path)


async def test_a_folder_that_cannot_be_written_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"missing/test\.sqlite cannot be used"):
        await open_and_close(tmp_path / "missing" / "test.sqlite")


async def test_only_one_may_have_it(path: Path) -> None:
    async with Database(path):
        with pytest.raises(Unusable, match="in use by another servient"):
            await open_and_close(path)
    await open_and_close(path)


async def test_a_job_that_fails_leaves_nothing_and_the_next_one_is_done(path: Path) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        with transaction(connection):
            insert(connection, (1, None, ""))
            raise InvalidInput("no")

    def misspell(connection: sqlite3.Connection) -> None:
        connection.execute("SELECT * FROM unknown")

    async with Database(path) as database:
        with pytest.raises(InvalidInput, match="no"):
            await database.submit(fail)
        with pytest.raises(StorageFailed, match="no such table"):
            await database.submit(misspell)
        await database.submit(partial(insert, row=(2, None, "")))
        rows = await database.submit(numbers)
    assert rows == [(2,)]
    with pytest.raises(StorageFailed, match="stopped"):
        await database.submit(partial(insert, row=(3, None, "")))


async def test_closing_does_what_was_submitted(path: Path) -> None:
    async with Database(path) as database:
        jobs = [database.submit(partial(insert, row=(number, None, ""))) for number in range(100)]
        jobs[-1].cancel()  # done nevertheless
    assert all(job.done() for job in jobs)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM invocations").fetchone() == (100,)
    connection.close()
