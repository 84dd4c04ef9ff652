"""Waiting for a recorder: until a record is kept, and for files that it keeps."""

import asyncio

from servient.errors import ServientError, StorageFailed
from servient.wot.content import Content, Value
from servient.wot.record import Kept, Record, Recorder
from servient.wot.stored_file import StoredFile


async def record_now(recorder: Recorder, record: Record) -> Kept:
    """Have a record kept. Raises StorageFailed."""
    future: asyncio.Future[Kept | ServientError] = asyncio.get_running_loop().create_future()

    def done(kept: Kept | ServientError) -> None:
        if not future.done():
            future.set_result(kept)

    recorder.record(record, done)
    kept = await future
    if isinstance(kept, ServientError):
        raise StorageFailed(kept.detail)
    return kept


async def load_files(value: Value, recorder: Recorder | None) -> Value:
    """A value with its files as Contents. Raises StorageFailed when one of them is gone."""
    if isinstance(value, StoredFile):
        return await _load(value, recorder)
    if isinstance(value, dict):
        return {name: await load_files(member, recorder) for name, member in value.items()}
    if isinstance(value, list):
        return [await load_files(member, recorder) for member in value]
    return value


async def _load(file: StoredFile, recorder: Recorder | None) -> Content:
    if recorder is None:
        raise StorageFailed(f"nobody keeps the file {file.digest}")
    return await recorder.load(file)
