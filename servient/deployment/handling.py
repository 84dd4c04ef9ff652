"""The handler of a module's action: calls the function, and tells those who want to know."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from servient.deployment.program import Handler
from servient.errors import ServientError
from servient.journal import Journal
from servient.wot.content import Value
from servient.wot.invocation import INVOCATION_ID
from servient.wot.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Handling:
    """`tell_replacement` is called with a reason after each call: the instance may be another now."""

    handler: Handler
    thing: str
    function: str
    journal: Journal
    tell_replacement: Callable[[str], None]

    def __call__(self, value: Value) -> Outcome | Awaitable[Outcome]:
        """Most calls end at once: then nothing is made that could be awaited."""
        request_id = INVOCATION_ID.get()
        self.journal.running(self.thing, request_id, self.function)
        try:
            found = self.handler.begin(value)
        except ServientError as error:
            self._failed(request_id, error)
            raise
        if isinstance(found, Outcome):
            return self._done(request_id, found)
        return self._wait(request_id, value, found)

    async def _wait(
        self, request_id: str, value: Value, begun: Awaitable[Outcome] | None
    ) -> Outcome:
        try:
            outcome = await (self.handler(value) if begun is None else begun)
        except ServientError as error:
            self._failed(request_id, error)
            raise
        return self._done(request_id, outcome)

    def _failed(self, request_id: str, error: ServientError) -> None:
        self.journal.failed(self.thing, request_id, self.function)
        self.tell_replacement(error.detail)

    def _done(self, request_id: str, outcome: Outcome) -> Outcome:
        self.tell_replacement("its process ended between two calls")
        self.journal.completed(self.thing, request_id, self.function, outcome.output)
        return outcome
