"""The threads of guests: as many as there is work at once, used again, gone when nobody wants them."""

import asyncio
import threading

import pytest

from servient.errors import Busy, NotFound
from servient.wasm.threads import STACK_BYTES, Threads
from servient.wasm.worker import Worker
from tests.wasm.conftest import resting


def nothing() -> None:
    pass


def guests() -> int:
    return sum(thread.name == "wasm-guest" for thread in threading.enumerate())


async def gone(count: int) -> None:
    async with asyncio.timeout(10):
        while guests() > count:
            await asyncio.sleep(0.001)


async def test_work_in_a_row_has_one_thread() -> None:
    threads, before = Threads(), guests()
    workers = [Worker(threads, 4, nothing) for _ in range(50)]
    for worker in workers:
        await worker.run(nothing)
        await resting(threads)
    assert guests() == before + 1
    threads.close()
    await gone(before)


async def test_work_at_once_has_a_thread_each() -> None:
    threads, all_there = Threads(), threading.Barrier(5)
    workers = [Worker(threads, 4, nothing) for _ in range(5)]
    await asyncio.gather(*(worker.run(lambda: all_there.wait(10)) for worker in workers))
    await resting(threads)
    threads.close()


async def test_idle_threads_end_by_themselves_and_come_back() -> None:
    threads, before = Threads(idle_seconds=0.01), guests()
    worker = Worker(threads, 4, nothing)
    for number in range(3):
        assert await worker.run(lambda n=number: n) == number  # type: ignore[misc]
        await gone(before)
    assert threads.busy == 0


async def test_a_thread_that_is_about_to_end_is_not_lost() -> None:
    """Work that comes in the very moment is done all the same."""
    threads = Threads(idle_seconds=0.0)
    worker = Worker(threads, 4, nothing)
    async with asyncio.timeout(30):
        for number in range(2000):
            assert await worker.run(lambda n=number: n) == number  # type: ignore[misc]
    await resting(threads)


async def test_one_worker_never_has_two_threads() -> None:
    threads, inside, most = Threads(), 0, 0

    def work() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        inside -= 1

    worker = Worker(threads, 1000, nothing)
    for _ in range(50):
        await asyncio.gather(*(worker.run(work) for _ in range(20)))
    assert most == 1
    threads.close()


async def test_its_end_comes_after_what_runs_and_before_what_waits() -> None:
    threads, order, may_end = Threads(), list[str](), threading.Event()
    worker = Worker(threads, 4, lambda: order.append("end"))

    def work() -> None:
        may_end.wait(10)
        order.append("work")

    running = asyncio.create_task(worker.run(work))
    waiting = asyncio.create_task(worker.run(lambda: order.append("too late")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(worker.close())
    await asyncio.sleep(0)
    may_end.set()
    await closing
    assert order == ["work", "end"]
    await running
    with pytest.raises(NotFound):
        await waiting
    with pytest.raises(NotFound):
        await worker.run(nothing)
    threads.close()


class NoThreads(Threads):
    """A system that has none left."""

    def run(self, work: object) -> None:
        raise RuntimeError("can't start new thread")


async def test_a_system_without_threads_is_busy_and_frees_what_ends() -> None:
    ended = list[bool]()
    worker = Worker(NoThreads(), 4, lambda: ended.append(True))
    for _ in range(2):
        with pytest.raises(Busy, match="no more threads"):
            await worker.run(nothing)
    assert worker.is_idle
    await worker.close()
    assert ended == [True]


def test_the_size_of_the_stacks_of_others_is_as_it_was() -> None:
    before = threading.stack_size()
    assert before != STACK_BYTES
    threads, done = Threads(), threading.Event()
    threads.run(done.set)
    assert done.wait(10)
    assert threading.stack_size() == before
    threads.close()
