"""When must a climb end, and when the rung at hand?  Each rung that takes long gets its share of what is left."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic


class Clock:
    """The time of one climb, in seconds of `now`; without a limit where `seconds` is infinite."""

    def __init__(self, seconds: float = float("inf"), now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self.until = now() + seconds
        self.share_until = self.until

    def share_out(self, share: float = 1.0) -> None:
        """Give the rung that begins its `share`, 0 to 1, of what is left; what it leaves goes to those after it."""
        self.share_until = self._now() + max(0.0, self.left()) * share

    def left(self) -> float:
        """Seconds until the climb must end."""
        return self.until - self._now()

    def share_left(self) -> float:
        """Seconds until the rung at hand must end."""
        return min(self.share_until, self.until) - self._now()
