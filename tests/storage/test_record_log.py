"""What is appended is there after any end; what was cut off, damaged or made up is not."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from servient.errors import StorageFailed
from servient.storage import invocations as module
from servient.storage.record_log import RecordLog, to_line
from servient.storage.store import LOG_NAME, Store
from servient.wot.record import Kept, Record, Status
from tests.storage.conftest import keep, record

WRITER = """
import asyncio, sys, time
from pathlib import Path
from servient.storage.store import Store
from tests.storage.conftest import keep, record

async def main():
    async with Store(Path(sys.argv[1])) as store:
        for number in range(100_000):
            await keep(store, record(number, output="x" * 500))
            print(number, flush=True)

asyncio.run(main())
"""


async def restored(folder: Path) -> list[Record]:
    async with Store(folder) as store:
        kept, _ = await store.invocations.restore()
        return [each.record for each in kept]


def leave(folder: Path, *lines: bytes, earlier: bytes = b"") -> None:
    """A log as a process leaves it that was killed."""
    (folder / LOG_NAME).write_bytes(b"".join(lines))
    if earlier:
        (folder / f"{LOG_NAME}.1").write_bytes(earlier)


def line(number: int, ended_at: float | None = 2.0, status: str = "completed") -> bytes:
    text = f'{{"thing":"d:m","action":"f","requestedAt":1.0,"status":"{status}","output":{number}'
    return to_line(number, ended_at, text + (f',"endedAt":{ended_at}}}' if ended_at else "}"))


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """With a store in which there is nothing."""
    assert await restored(tmp_path) == []
    yield tmp_path


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        command = (sys.executable, "-c", WRITER, str(folder))
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(300)]
            process.send_signal(signal.SIGKILL)
            said += process.stdout.readlines()
        acknowledged = [int(each) for each in said if each.endswith("\n")]
        kept = {each.number for each in await restored(folder)}
        assert kept.issuperset(acknowledged)
        assert max(kept) <= acknowledged[-1] + 1


@pytest.mark.parametrize("cut", range(1, 60, 7))
async def test_a_last_line_that_was_cut_off_does_not_count(folder: Path, cut: int) -> None:
    leave(folder, line(1), line(2), line(3)[:-cut])
    assert [each.number for each in await restored(folder)] == [1, 2]
    assert [each.number for each in await restored(folder)] == [1, 2]


NO_RECORDS = [
    b"\n",
    b"\0" * 4096 + b"\n",
    os.urandom(300).replace(b"\n", b" ") + b"\n",
    b"00000000 1 2.0 {}\n",
    b"zzzzzzzz 1 2.0 {}\n",
    line(9).replace(b"f", b"g", 1),
    to_line(9, 2.0, "{}"),
    to_line(9, 2.0, "[]"),
    to_line(9, 2.0, "not JSON"),
    to_line(9, 2.0, "[" * 100_000),
    to_line(9, None, '{"thing":1}'),
]


@pytest.mark.parametrize("damage", NO_RECORDS, ids=range(len(NO_RECORDS)))
async def test_a_damaged_line_is_left_out_and_said(
    folder: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    leave(folder, line(1), damage, line(2))
    assert [each.number for each in await restored(folder)] == [1, 2]
    assert "1 lines of the log of invocations are damaged" in caplog.text


async def test_both_files_count_and_what_ended_stays_so(folder: Path) -> None:
    earlier = line(1, None, "running") + line(2, None, "running") + line(3)
    leave(folder, line(1, 5.0), line(3, None, "running"), earlier=earlier)
    kept = {each.number: each.status for each in await restored(folder)}
    assert kept == {1: Status.COMPLETED, 2: Status.FAILED, 3: Status.COMPLETED}


async def test_numbers_of_the_log_are_not_given_again(folder: Path) -> None:
    leave(folder, line(7000))
    async with Store(folder) as store:
        _, next_number = await store.invocations.restore()
    assert next_number > 7000


async def test_what_matters_of_a_long_log_goes_into_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOG_LENGTH_BYTES", 20_000)
    async with Store(tmp_path) as store:
        for number in range(1000):
            [kept] = await keep(store, record(number))
            assert isinstance(kept, Kept)
            store.invocations.forget([number - 10])
            while (tmp_path / LOG_NAME).stat().st_size > 25_000:  # until the thread had its turn
                await keep(store, record(number))
                await asyncio.sleep(0.001)
    assert (tmp_path / LOG_NAME).stat().st_size == 0
    assert not (tmp_path / f"{LOG_NAME}.1").exists()
    assert [each.number for each in await restored(tmp_path)] == list(range(990, 1000))


async def test_a_line_that_cannot_be_written_whole_leaves_nothing(tmp_path: Path) -> None:
    """As on a full disk: what is refused is not there afterwards, and the next one is."""
    log = RecordLog(tmp_path / "log")
    log.open()
    log.append(1, 1.0, "{}")
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    file, log._file = log._file, writer
    with pytest.raises(OSError, match=r"unavailable|space|Invalid"):
        log.append(2, 1.0, '"' + "x" * 2**20 + '"')
    log._file = file
    log.append(3, 1.0, "{}")
    log.close()
    os.close(reader)
    os.close(writer)
    entries, damaged = RecordLog(tmp_path / "log").entries()
    assert ([each.number for each in entries], damaged) == ([1, 3], 0)


async def test_a_closed_log_is_an_error_with_a_name(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        pass
    [refused] = await keep(store, record())
    assert isinstance(refused, StorageFailed)
