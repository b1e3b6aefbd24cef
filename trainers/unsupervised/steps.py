"""One series as features of each step: how far from what is usual at that phase, now, lately, and over a season."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy


@dataclass(frozen=True)
class Profile:
    """The median and scale of each phase of the longest season; `windows` are the stretches looked back over."""

    season: int
    middle: Floats
    scale: Floats
    windows: tuple[int, ...]

    def names(self) -> tuple[str, ...]:
        """What each feature says."""
        return ("this step", *(f"the last {window} steps" for window in self.windows))

    def features(self, values: Floats, steps: Integers) -> Floats:
        """[steps, features] of consecutive values; a gap counts as usual. Only the past of each step is read."""
        phase = steps % self.season
        off = np.nan_to_num((values - self.middle[phase]) / self.scale[phase], nan=0.0)
        off = np.clip(off, -20, 20)
        columns = [np.abs(off)]
        for window in self.windows:
            total = np.cumsum(np.r_[0.0, off])
            low = np.maximum(np.arange(1, len(off) + 1) - window, 0)
            count = np.arange(1, len(off) + 1) - low
            # The mean of a whole stretch: it stays small unless the deviations all point one way.
            columns.append(np.abs((total[1:] - total[low]) / count) * np.sqrt(np.minimum(count, window)))
        return np.stack(columns, axis=1)


def learn_profile(values: Floats, steps: Integers, seasons: tuple[int, ...]) -> Profile:
    """From the training part: the longest season that was seen four times gives the phases."""
    rules = policy("discovering")["series"]
    fitting = [season for season in seasons if 4 * season <= len(values)]
    season = fitting[-1] if fitting else 1
    overall = float(np.nanmedian(values))
    spread = max(float(np.nanmedian(np.abs(values - overall))), 1e-12)
    middle, scale = np.full(season, overall), np.full(season, spread)
    for phase in range(season):
        cells = values[steps % season == phase]
        cells = cells[np.isfinite(cells)]
        if len(cells) >= 3:
            middle[phase] = np.median(cells)
            scale[phase] = np.median(np.abs(cells - middle[phase]))
    scale = 1.4826 * np.maximum(scale, rules["floor"] * spread)
    first = seasons[0]
    windows = tuple(sorted({max(2, first // part) for part in rules["season_parts"]}))
    return Profile(season, middle, scale, windows)
