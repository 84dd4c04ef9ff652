"""A WoTPy entry point whose interactions are recorded, on both sides."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import reactivex
from reactivex.disposable import CompositeDisposable, Disposable
from wotpy.wot.consumed.thing import ConsumedThing

from emulation.metrics.emissions import body_of, digest_of, witness_emissions
from emulation.metrics.forms import Route, find_route
from emulation.metrics.recorder import Recorder
from emulation.metrics.records import (
    Change,
    EventRecord,
    InteractionRecord,
    Side,
    SubscriptionRecord,
)
from emulation.metrics.span import current, outgoing
from servient.wot.content import Value
from servient.wot.operations import Operation
from servient.wot.witness import Ending

ERROR_LIMIT_CHARACTERS = 300


def measure(wot: Any, recorder: Recorder, *, carries_traces: bool = True) -> "MeasuredWot":
    """Record what programs do with this entry point, and what consumers do with its Things.

    With `carries_traces`, calls carry a `traceparent`, by which the producer's work is found again;
    without, they are tied by what is called when.
    """
    witness_interactions(wot.servient, recorder)
    return MeasuredWot(wot, recorder, carries_traces=carries_traces)


def witness_interactions(servient: Any, recorder: Recorder) -> None:
    """Record what consumers do with the Things of a servient and what these emit, deployed ones too."""
    servient.witness = RecordingWitness(recorder)
    witness_emissions(servient, recorder)


class RecordingWitness:
    """Records what a servient carries out: the time of the handler alone, without any network."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def begun(self, operation: Operation, thing: str, affordance: str, value: Value) -> Ending:
        span, at, start = current(), time.time(), time.perf_counter()
        input_bytes = len(body_of(value))

        def ended(output: Value = None, error: BaseException | None = None) -> None:
            self._recorder.record(
                InteractionRecord(
                    self._recorder.replica,
                    Side.EXPOSED,
                    at,
                    time.perf_counter() - start,
                    thing,
                    affordance,
                    operation.value,
                    input_bytes=input_bytes,
                    output_bytes=len(body_of(output)),
                    error=to_text(error),
                    trace=span.trace,
                    span=span.span,
                )
            )

        return ended


class MeasuredWot:
    """An entry point like the one it is made of; what is consumed through it is measured."""

    def __init__(self, wot: Any, recorder: Recorder, *, carries_traces: bool) -> None:
        self._wot = wot
        self._recorder = recorder
        self._carries_traces = carries_traces

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wot, name)

    def consume(self, td: Any) -> "MeasuredThing":
        return self._measured(self._wot.consume(td))

    async def consume_from_url(self, *arguments: Any, **options: Any) -> "MeasuredThing":
        return self._measured(await self._wot.consume_from_url(*arguments, **options))

    def _measured(self, thing: Any) -> "MeasuredThing":
        return MeasuredThing(
            thing.servient, thing.td, self._recorder, carries_traces=self._carries_traces
        )


class MeasuredThing(ConsumedThing):
    """WoTPy's consumed Thing; each call, subscription and event leaves a record."""

    def __init__(
        self, servient: Any, td: Any, recorder: Recorder, *, carries_traces: bool = True
    ) -> None:
        super().__init__(servient, td)
        self._recorder = recorder
        self._carries_traces = carries_traces
        self._routes: dict[tuple[str, Operation], Route] = {}

    async def invoke_action(
        self, name: str, input_value: Any = None, *arguments: Any, **options: Any
    ) -> Any:
        work = super().invoke_action
        return await self._measured(
            Operation.INVOKE_ACTION,
            name,
            input_value,
            lambda: work(name, input_value, *arguments, **options),
        )

    async def write_property(self, name: str, value: Any, *arguments: Any, **options: Any) -> None:
        work = super().write_property
        await self._measured(
            Operation.WRITE_PROPERTY, name, value, lambda: work(name, value, *arguments, **options)
        )

    async def read_property(self, name: str, *arguments: Any, **options: Any) -> Any:
        work = super().read_property
        return await self._measured(
            Operation.READ_PROPERTY, name, None, lambda: work(name, *arguments, **options)
        )

    def on_event(self, name: str, *arguments: Any, **options: Any) -> Any:
        events = super().on_event(name, *arguments, **options)
        return self._watched(Operation.SUBSCRIBE_EVENT, name, events)

    def on_property_change(self, name: str, *arguments: Any, **options: Any) -> Any:
        changes = super().on_property_change(name, *arguments, **options)
        return self._watched(Operation.OBSERVE_PROPERTY, name, changes)

    # How they are measured

    def _route(self, name: str, operation: Operation) -> Route:
        key = name, operation
        if key not in self._routes:
            self._routes[key] = find_route(self.servient, self.td, name, operation)
        return self._routes[key]

    async def _measured(
        self, operation: Operation, name: str, value: Value, work: Callable[[], Awaitable[Any]]
    ) -> Any:
        route = self._route(name, operation)
        output: Value = None
        failure: BaseException | None = None
        with outgoing(is_carried=self._carries_traces) as span:
            at, start = time.time(), time.perf_counter()
            try:
                output = await work()
            except BaseException as error:  # one that is given up took its time, too
                failure = error
                raise
            finally:
                seconds = time.perf_counter() - start
                self._recorder.record(
                    InteractionRecord(
                        self._recorder.replica,
                        Side.CONSUMED,
                        at,
                        seconds,
                        self.td.title,
                        name,
                        operation.value,
                        route.protocol,
                        route.href,
                        len(body_of(value)),
                        len(body_of(output)),
                        to_text(failure),
                        span.trace,
                        span.span,
                    )
                )
        return output

    def _watched(self, operation: Operation, name: str, source: Any) -> Any:
        """The same observable; each of its subscriptions leaves records."""
        route, replica, thing = self._route(name, operation), self._recorder.replica, self.td.title

        def note(change: Change, error: Exception | None = None) -> None:
            where = (thing, name, operation.value, route.protocol)
            self._recorder.record(
                SubscriptionRecord(replica, time.time(), change, *where, to_text(error))
            )

        def subscribe(observer: Any, scheduler: Any = None) -> Any:
            ends = _Once(note)

            def on_next(event: Any) -> None:
                where = (thing, name, operation.value, route.protocol)
                at, data = time.time(), _data(event)
                size, digest = len(body_of(data)), digest_of(data)
                self._recorder.record(EventRecord(replica, at, *where, size, digest))
                observer.on_next(event)

            def on_error(error: Exception) -> None:
                ends(Change.FAILED, error)
                observer.on_error(error)

            def on_completed() -> None:
                ends(Change.ENDED)
                observer.on_completed()

            note(Change.BEGUN)
            undo = source.subscribe(on_next, on_error, on_completed, scheduler=scheduler)
            return CompositeDisposable(undo, Disposable(lambda: ends(Change.ENDED)))

        return reactivex.create(subscribe)


class _Once:
    """A subscription ends once, however many ways lead there."""

    def __init__(self, note: Callable[[Change, Exception | None], None]) -> None:
        self._note = note
        self._is_over = False

    def __call__(self, change: Change, error: Exception | None = None) -> None:
        if not self._is_over:
            self._is_over = True
            self._note(change, error)


def _data(event: Any) -> Value:
    """What an item of WoTPy's observables carries: an event's data, or a property's new value."""
    data = getattr(event, "data", event)
    return getattr(data, "value", data)


def to_text(error: BaseException | None) -> str:
    if error is None:
        return ""
    return f"{type(error).__name__}: {error}"[:ERROR_LIMIT_CHARACTERS]
