"""What a corrected client raises when the Thing refuses."""

from typing import Any


class InteractionRefused(Exception):
    """The Thing answered with a Problem Details object (RFC 9457)."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or "refused")
        self.problem = problem

    @property
    def status(self) -> int:
        """The HTTP status of the problem; 500 when it does not say."""
        status = self.problem.get("status")
        return status if isinstance(status, int) else 500
