"""Invocations of actions: one record each, kept once for all bindings."""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from servient.errors import Busy, NotFound, ServientError
from servient.wot.access import acting
from servient.wot.content import Value
from servient.wot.invocation import PROGRAM, Invocation
from servient.wot.last_results import RESULTS_LIMIT, LastResults
from servient.wot.load import Load
from servient.wot.record import NOTHING, Kept, Record, Recorder, Status
from servient.wot.recording import load_files
from servient.wot.tally import Tally

HISTORY_LIMIT = 1000
HISTORY_AGE_SECONDS = 7 * 24 * 3600.0
RUNNING_LIMIT = 1024
# So that there is room for others, however one Thing stalls and whatever one principal asks for.
RUNNING_OF_THING_LIMIT = 512
RUNNING_OF_PRINCIPAL_LIMIT = 512


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many invocations may be under way, and how much is remembered of those that are over.

    Of those under way, as many may be of one Thing and of one principal.

    `text_bytes` bounds what is in memory, `files_bytes` what is on disk: both apply to records that
    are kept by a recorder.
    """

    running: int = RUNNING_LIMIT
    running_of_thing: int = RUNNING_OF_THING_LIMIT
    running_of_principal: int = RUNNING_OF_PRINCIPAL_LIMIT
    history: int = HISTORY_LIMIT
    age_seconds: float = HISTORY_AGE_SECONDS
    text_bytes: int = 32 * 2**20
    files_bytes: int = 512 * 2**20


class Invocations:
    """The invocations of a servient: those that run, and a bounded history of those that are over.

    With a recorder, what happened in an earlier life of the servient is remembered, and an
    invocation is over when its record is kept.
    """

    def __init__(
        self,
        bounds: Bounds | None = None,
        recorder: Recorder | None = None,
        kept: Iterable[Kept] = (),
        next_number: int = 0,
        tally: Tally | None = None,
    ) -> None:
        self._bounds = bounds or Bounds()
        self._recorder = recorder
        self._tally = tally
        self._running: dict[str, Invocation] = {}
        self._is_draining = False
        self._idle = asyncio.Event()
        self._load = Load(self._bounds.running_of_thing, self._bounds.running_of_principal)
        self._over: dict[str, Invocation] = {}
        # The same, oldest first: a dict from whose front much was taken takes long to find its first.
        self._in_order: deque[Invocation] = deque()
        self._text_bytes = self._files_bytes = 0
        self._last = _last_results(self._bounds, recorder)
        self._count = next_number
        for each in kept:
            self._remember(Invocation.restored(each, recorder))
        self._forget_old()

    @property
    def next_number(self) -> int:
        """The number of the next invocation; every earlier one has a smaller one."""
        return self._count

    def open(
        self,
        thing: str,
        action: str,
        value: Value,
        context: Mapping[str, str] | None = None,
        protocol: str = PROGRAM,
    ) -> Invocation:
        """A new, pending record. Raises Busy when too many are under way."""
        if self._is_draining:
            raise Busy("the servient is stopping")
        if len(self._running) >= self._bounds.running:
            raise Busy(f"{self._bounds.running} invocations are under way; try again later")
        principal = acting()
        invocation = Invocation(
            self._count, thing, action, value, context, protocol, self._recorder
        )
        self._load.enter(invocation.id, thing, principal.name if principal else None)
        self._count += 1
        self._running[invocation.id] = invocation
        return invocation

    def refused(self, thing: str, action: str, protocol: str, error: ServientError) -> None:
        """One did not begin, for this reason."""
        if self._tally is not None:
            self._tally.refused(thing, action, protocol, error)

    def close(self, invocation: Invocation) -> None:
        """Move a record whose outcome is decided to the history, when it is kept."""
        outcome = invocation.outcome
        if self._recorder is None:
            self._close(invocation, Kept(outcome))
        else:
            self._recorder.record(outcome, partial(self._recorded, invocation, outcome))

    def _recorded(
        self, invocation: Invocation, outcome: Record, kept: Kept | ServientError
    ) -> None:
        if isinstance(kept, ServientError):
            # Never silently: who asked hears of it, and nobody sees a result that may be lost.
            kept.__traceback__ = kept.__cause__ = None
            failed = outcome._replace(
                input=None, output=None, files=NOTHING, status=Status.FAILED, error=kept
            )
            kept = Kept(failed)
        self._close(invocation, kept)

    def _close(self, invocation: Invocation, kept: Kept) -> None:
        invocation.close(kept)
        del self._running[invocation.id]
        self._load.leave(invocation.id)
        if self._tally is not None:
            self._tally.ended(invocation)
        if not self._running:
            self._idle.set()
        self._remember(invocation)
        self._forget_old()

    async def drain(self, limit_seconds: float) -> int:
        """Begin nothing more, and wait for what runs; returns how many still do after this time."""
        self._is_draining = True
        self._idle.clear()
        if self._running:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit_seconds):
                    await self._idle.wait()
        return len(self._running)

    @property
    def is_draining(self) -> bool:
        return self._is_draining

    def _remember(self, invocation: Invocation) -> None:
        self._over[invocation.id] = invocation
        self._in_order.append(invocation)
        self._text_bytes += invocation.text_bytes
        self._files_bytes += invocation.files_bytes
        self._forget(self._last.completed(invocation))

    def _forget_old(self) -> None:
        """Forget the oldest until all bounds hold."""
        bounds, in_order, forgotten = self._bounds, self._in_order, list[Invocation]()
        oldest_kept_seconds = time.time() - bounds.age_seconds
        while in_order:
            oldest = in_order[0]
            if (
                len(in_order) <= bounds.history
                and self._text_bytes <= bounds.text_bytes
                and self._files_bytes <= bounds.files_bytes
                and (oldest.ended_at_seconds or 0.0) >= oldest_kept_seconds
            ):
                break
            in_order.popleft()
            del self._over[oldest.id]
            self._text_bytes -= oldest.text_bytes
            self._files_bytes -= oldest.files_bytes
            forgotten += self._last.hold(oldest)
        self._forget(forgotten)

    def _forget(self, invocations: Sequence[Invocation]) -> None:
        if invocations and self._recorder is not None:
            self._recorder.forget([each.count for each in invocations])

    def results(self) -> Iterator[Invocation]:
        """The oldest first: those that are over, and the last that completed of each action before."""
        yield from self._last
        yield from tuple(self._in_order)

    def forget_results(self, is_gone: Callable[[Invocation], bool]) -> None:
        """Those that are past the history, or will be, and that nobody has a property for any more."""
        self._forget(self._last.forget(is_gone))

    def under_way(self) -> Counter[str]:
        """How many are pending or run, by their Things."""
        return Counter(invocation.thing for invocation in self._running.values())

    async def load(self, value: Value) -> Value:
        """A value of an invocation with its files as Contents. Raises StorageFailed."""
        return await load_files(value, self._recorder)

    def find(self, invocation_id: str) -> Invocation:
        """Raises NotFound."""
        found = self._running.get(invocation_id) or self._over.get(invocation_id)
        if found is None:
            raise NotFound(f"no invocation {invocation_id[:200]!r}")
        return found

    def __iter__(self) -> Iterator[Invocation]:
        """Oldest first: those that are over, then those under way."""
        self._forget_old()
        yield from tuple(self._in_order)
        yield from tuple(self._running.values())

    def __len__(self) -> int:
        return len(self._over) + len(self._running)


def _last_results(bounds: Bounds, recorder: Recorder | None) -> LastResults:
    """For properties that come back: without a recorder none does."""
    limit = RESULTS_LIMIT if recorder else 0
    return LastResults(bounds.text_bytes, bounds.files_bytes, limit)
