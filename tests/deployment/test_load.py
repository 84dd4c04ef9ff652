"""Many clients with files of their own get their own results, and leave nothing behind."""

from pathlib import Path

from benchmarks.executions import run

HISTORY = 250


async def test_files_of_many_clients_are_not_mixed_up_and_do_not_pile_up(tmp_path: Path) -> None:
    found = await run(tmp_path, clients=64, executions=640, history=HISTORY)
    *_, last = found["samples"]
    # One file comes with each request and one is its result; forgetting goes in lots of 64.
    assert last["files"] < 2 * (HISTORY + 64) + 50
