"""When must a climb end, and when the rung at hand?  Each rung that takes long gets its share of what is left."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from trainers.climb.policy import figure

STRETCH = figure("time", "stretch")


class Clock:
    """The time of one climb, in seconds of `now`; without a limit where `seconds` is infinite."""

    def __init__(self, seconds: float = float("inf"), now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self.until = now() + seconds
        self.share_until = self.stretch_until = self.until
        self.kept = 0.0

    def keep(self, seconds: float) -> None:
        """Leave the last `seconds` of the climb to confirming: no rung may use them."""
        self.kept = seconds

    def share_out(self, share: float = 1.0) -> None:
        """Give the rung that begins its `share`, 0 to 1, of what is left; what it leaves goes to those after it."""
        seconds = max(0.0, self.left_to_measure()) * share
        self.share_until = self._now() + seconds
        self.stretch_until = self._now() + STRETCH * seconds

    def left(self) -> float:
        """Seconds until the climb must end."""
        return self.until - self._now()

    def left_to_measure(self) -> float:
        """Seconds until no rung may be measured any more."""
        return self.left() - self.kept

    def share_left(self) -> float:
        """Seconds until the rung at hand should end."""
        return min(self.share_until, self.until - self.kept) - self._now()

    def stretch_left(self) -> float:
        """Seconds until it must end even if it then has too few answers to say anything."""
        return min(self.stretch_until, self.until - self.kept) - self._now()
