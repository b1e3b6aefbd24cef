"""What a Prometheus server scrapes: requests, rows, seconds, batches, and which model answers. Text format 0.0.4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1000)


@dataclass
class Histogram:
    """Counts of values at or below each bound, with their sum."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float, times: int = 1) -> None:
        """Count a value."""
        at = next((at for at, bound in enumerate(self.bounds) if value <= bound), len(self.bounds))
        self.counts[at] += times
        self.total += value * times

    def lines(self, name: str, says: str) -> list[str]:
        """The histogram as Prometheus reads it."""
        lines = [f"# HELP {name} {says}", f"# TYPE {name} histogram"]
        below = 0
        for bound, count in zip((*self.bounds, "+Inf"), self.counts, strict=True):
            below += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {below}')
        return [*lines, f"{name}_sum {self.total!r}", f"{name}_count {below}"]


@dataclass
class Meters:
    """Everything that is counted while a run is served."""

    seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    requests: dict[int, int] = field(default_factory=dict)
    rows: int = 0
    in_flight: int = 0
    predictions: dict[str, int] = field(default_factory=dict)

    def count(self, status: int) -> None:
        """Count a request by its status."""
        self.requests[status] = self.requests.get(status, 0) + 1

    def text(self, model: Mapping[str, str], batches: Mapping[int, int], waiting: int) -> str:
        """All of it as text. `model` names what answers; `batches` counts batches by their rows."""
        sizes = Histogram(ROWS)
        for rows, times in batches.items():
            sizes.add(rows, times)
        labels = ",".join(f'{name}="{_quoted(value)}"' for name, value in model.items())
        lines = [
            "# HELP train_or_not_model_info Which run answers.",
            "# TYPE train_or_not_model_info gauge",
            f"train_or_not_model_info{{{labels}}} 1",
            "# HELP train_or_not_requests_total Requests for answers by status.",
            "# TYPE train_or_not_requests_total counter",
            *(f'train_or_not_requests_total{{code="{code}"}} {n}' for code, n in sorted(self.requests.items())),
            "# HELP train_or_not_rows_total Rows answered.",
            "# TYPE train_or_not_rows_total counter",
            f"train_or_not_rows_total {self.rows}",
            "# HELP train_or_not_predictions_total Rows answered by class.",
            "# TYPE train_or_not_predictions_total counter",
            *(
                f'train_or_not_predictions_total{{class="{_quoted(name)}"}} {n}'
                for name, n in sorted(self.predictions.items())
            ),
            "# HELP train_or_not_in_flight Requests being answered.",
            "# TYPE train_or_not_in_flight gauge",
            f"train_or_not_in_flight {self.in_flight}",
            "# HELP train_or_not_rows_waiting Rows that wait for the model.",
            "# TYPE train_or_not_rows_waiting gauge",
            f"train_or_not_rows_waiting {waiting}",
            *self.seconds.lines("train_or_not_request_seconds", "Seconds from a request's first byte to its answer."),
            *sizes.lines("train_or_not_batch_rows", "Rows that were answered together."),
        ]
        return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
